"""Every bad input ends in one line that names the file or the argument, and leaves nothing behind."""

import os
import shutil
from pathlib import Path

import bad_customers
import bad_files
import bad_generation
import bad_looks
import bad_partitions
import bad_people
import bad_poses
import bad_studio
import bad_words
import pytest
from bad_inputs import EXTRAS, VALID
from hemline import cli
from place import faults, furnish, listing, said

PARTS = {
    part.__name__: list({(case.words, tuple(case.files.items())): case for case in part()}.values())
    for part in (
        bad_words.no_such_words,
        bad_words.numbers_of_options,
        bad_words.choices_of_options,
        bad_words.names,
        bad_words.places,
        bad_words.scenarios_of_options,
        bad_files.settings_of_models,
        bad_files.descriptions_of_tables,
        bad_files.tables,
        bad_files.grids,
        bad_files.scenarios,
        bad_files.descriptions_of_shops,
        bad_files.broken_predictors,
        bad_files.broken_backtests,
        bad_files.broken_picture_runs,
        bad_partitions.words_of_partitions,
        bad_partitions.tables_of_partitions,
        bad_partitions.broken_partitions,
        bad_customers.words_of_recommenders,
        bad_customers.tables_of_purchases,
        bad_customers.files_beside_purchases,
        bad_customers.broken_recommenders,
        bad_looks.words_of_looks,
        bad_looks.photos_and_items,
        bad_looks.broken_indexes,
        bad_looks.boxes_and_triplets,
        bad_looks.searches,
        bad_generation.words_of_generators,
        bad_generation.photos_of_garments,
        bad_generation.broken_generators,
        bad_studio.words_of_the_studio,
        bad_studio.broken_folders_of_the_studio,
        bad_poses.words_of_poses,
        bad_people.words_of_people,
        bad_people.photos_of_people,
        bad_people.tables_of_people,
        bad_people.broken_swaps,
        bad_poses.files_of_poses,
        bad_people.outfits_and_poses,
    )
}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder, before = tmp_path_factory.mktemp("place"), Path.cwd()
    os.chdir(folder)
    cli.mount()
    furnish(folder)
    yield folder
    os.chdir(before)


SHARES = 7
"""Each run takes one case of so many; the others are slow tests."""


def test_every_seventh_case_is_enough_for_a_table():
    assert sum(len(cases[::SHARES]) for cases in PARTS.values()) >= 600


@pytest.mark.parametrize("name", VALID)
def test_what_one_bad_input_spoils_works_without_it(place, tmp_path, name):
    if name in EXTRAS:
        pytest.importorskip(EXTRAS[name])
    shutil.copytree(place / "looks", tmp_path / "looks")
    before = listing(place)
    status, errors = said(VALID[name].split())
    assert status == 0, errors
    shutil.rmtree(place / "looks")
    shutil.copytree(tmp_path / "looks", place / "looks")
    made = sorted(set(listing(place)) - set(before), reverse=True)
    for path in (place / each for each in made):
        path.rmdir() if path.is_dir() else path.unlink()


@pytest.mark.parametrize("first", [0, *(pytest.param(first, marks=pytest.mark.slow) for first in range(1, SHARES))])
@pytest.mark.parametrize("part", PARTS)
def test_a_bad_input_is_one_line_that_names_it_and_writes_nothing(place, part, first):
    assert [fault for case in PARTS[part][first::SHARES] for fault in faults(place, case)] == []
