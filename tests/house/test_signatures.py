"""What public functions take and give has a type: no `Any`, no bare container, and `object` where it is true alone."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("runtime", "datasets", "decisions", "evaluation", "forecasting", "recommendation", "studio", "vision")
MOST = 5
"""`Any` in all rooms, each with a comment above it that begins with the word."""

BARE = {"dict", "list", "set", "frozenset", "tuple", "type", "Mapping", "Sequence", "Iterable", "Iterator", "Callable"}

# Whatever is given is looked at or digested; nothing is known of it.
OF_ANYTHING = {
    "datasets/entries/splitting.py: split_windows(truth)",
    "evaluation/adapters/foreign.py: needs_training(model)",
    "evaluation/adapters/foreign.py: forecasts(model)",
    "evaluation/adapters/foreign.py: is_model(made)",
    "evaluation/runs/identity.py: digest(value)",
    "runtime/arguments/kinds.py: check_kind(value)",
    "runtime/arguments/kinds.py: check_kind(hint)",
    "runtime/arguments/kinds.py: accepts(value)",
    "runtime/arguments/kinds.py: accepts(hint)",
    "runtime/arguments/kinds.py: in_words(hint)",
    "runtime/arguments/naming.py: naming(value)",
    "runtime/display/showing.py: in_short(value)",
    "runtime/training/curves.py: require_loggers(given)",
    "runtime/texts.py: toml_value(value)",
    "runtime/face.py: lazy_face()",
    "runtime/plain.py: to_plain(value)",
    "runtime/plain.py: from_plain(data)",
    "runtime/plain.py: part_from_plain(data)",
    # And what comes back is a configuration of any class of the table, or whatever a place names.
    "runtime/names.py: imported()",
    "runtime/plain.py: from_plain()",
    "runtime/reading/json_files.py: parsed_json()",
}


def files() -> list[Path]:
    return [file for room in ROOMS for file in sorted((ROOT / room).rglob("*.py"))]


def functions(body: list[ast.stmt], place: str = "") -> list[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    """Functions of a module and methods of its classes, without those whose names begin with an underscore."""
    found = []
    for node in body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            if not node.name.startswith("_") or (place and node.name == "__init__"):
                found.append((f"{place}{node.name}", node))
        elif isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            found += functions(node.body, f"{place}{node.name}.")
    return found


def annotations(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[tuple[str, ast.expr | None]]:
    """The annotation of each argument but self, and of what is returned (named by nothing)."""
    given = function.args
    arguments = [*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg]
    found = [(each.arg, each.annotation) for each in arguments if each is not None and each.arg not in ("self", "cls")]
    return [*found, ("", function.returns)]


def parsed(annotation: ast.expr) -> ast.expr:
    quoted = isinstance(annotation, ast.Constant) and isinstance(annotation.value, str)
    return ast.parse(annotation.value, mode="eval").body if quoted else annotation


def names(annotation: ast.expr) -> set[str]:
    return {node.id for node in ast.walk(parsed(annotation)) if isinstance(node, ast.Name)}


def aliases() -> dict[str, tuple[Path, int, ast.expr]]:
    """The public names that modules give to types, and what they stand for."""
    found = {}
    for file in files():
        for node in ast.parse(file.read_text()).body:
            named = isinstance(node, ast.AnnAssign) and ast.unparse(node.annotation).endswith("TypeAlias")
            plain = isinstance(node, ast.Assign) and isinstance(node.value, (ast.Name, ast.Subscript, ast.BinOp))
            if named or plain:
                target = node.target if isinstance(node, ast.AnnAssign) else node.targets[0]
                if isinstance(target, ast.Name) and node.value is not None and not target.id.startswith("_"):
                    found[target.id] = (file, node.lineno, node.value)
    return found


def of_any() -> list[tuple[Path, int, str]]:
    """Where `Any` stands in a public signature, or in a name for a type."""
    found = [(file, line, name) for name, (file, line, value) in aliases().items() if "Any" in names(value)]
    for file in files():
        for name, function in functions(ast.parse(file.read_text()).body):
            told = [each for _, each in annotations(function) if each is not None]
            found += [(file, function.lineno, name)] * any("Any" in names(each) for each in told)
    return found


def test_any_stands_in_few_public_signatures():
    assert len(of_any()) <= MOST, [f"{file.relative_to(ROOT)}:{line} {name}" for file, line, name in of_any()]


def test_each_any_is_explained():
    silent = []
    for file, line, name in of_any():
        lines = file.read_text().splitlines()[:line]
        above = [text.strip() for text in lines[-6:-1]]
        if not any(text.startswith("# Any: ") for text in above):
            silent.append(f"{file.relative_to(ROOT)}:{line} {name}")
    assert silent == []


@pytest.mark.parametrize("file", files(), ids=lambda file: str(file.relative_to(ROOT)))
def test_signatures_are_whole(file):
    wrong = []
    for name, function in functions(ast.parse(file.read_text()).body):
        for argument, annotation in annotations(function):
            where = f"{file.relative_to(ROOT)}: {name}({argument})"
            if annotation is None:
                wrong.append(f"{where}: no type")
                continue
            tree = parsed(annotation)
            told = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Subscript)}
            bare = [node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and id(node) not in told]
            wrong += [f"{where}: {each} of what?" for each in bare if each in BARE - {"type"}]
            values = _values(tree) | (
                {id(tree)} if function.args.kwarg and argument == function.args.kwarg.arg else set()
            )
            unknown = [node for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id == "object"]
            if any(id(node) not in values for node in unknown) and where not in OF_ANYTHING:
                wrong.append(f"{where}: object")
    assert wrong == []


def _values(tree: ast.expr) -> set[int]:
    """The `object` that are values of a mapping by name, as options have them that are checked inside."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Tuple):
            key, *rest = node.slice.elts
            if isinstance(key, ast.Name) and key.id == "str" and len(rest) == 1 and isinstance(rest[0], ast.Name):
                found.add(id(rest[0]))
    return found
