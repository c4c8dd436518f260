"""Titles as numbers and back: a word vocabulary that is stored with the model."""

from __future__ import annotations

from collections.abc import Sequence

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

PAD, BEGIN, END, UNKNOWN = 0, 1, 2, 3

_SPECIAL = ["<pad>", "<begin>", "<end>", "<unknown>"]


class CaptionTokenizer:
    """Lower-case words and punctuation, as whole tokens.

    Arguments:
        tokenizer: a tokenizer of the ``tokenizers`` library with the four special tokens in front.

    Example:
        >>> words = CaptionTokenizer.learn(["Blue shirt", "blue jeans"], min_count=1)
        >>> words.decode(words.encode("Blue jeans")), words.decode(words.encode("Blue hat"))
        ('blue jeans', 'blue')
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.tokenizer = tokenizer

    @classmethod
    def learn(cls, titles: Sequence[str], *, min_count: int = 2, most: int = 20_000) -> CaptionTokenizer:
        """Learn the vocabulary of some titles.

        Arguments:
            titles: the titles of the training articles.
            min_count: rarer words become unknown.
            most: the largest vocabulary, special tokens included.

        Raises:
            ValueError: no word is left.
        """
        tokenizer = Tokenizer(models.WordLevel(unk_token=_SPECIAL[UNKNOWN]))
        tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Whitespace(), pre_tokenizers.Punctuation()])
        trainer = trainers.WordLevelTrainer(
            vocab_size=most, min_frequency=min_count, special_tokens=_SPECIAL, show_progress=False
        )
        tokenizer.train_from_iterator(titles, trainer)
        if tokenizer.get_vocab_size() <= len(_SPECIAL):
            raise ValueError(f"titles: expected words that occur at least {min_count} times, got none")
        return cls(tokenizer)

    def __len__(self) -> int:
        return self.tokenizer.get_vocab_size()

    def encode(self, title: str) -> list[int]:
        """The numbers of a title's words, then that of the end."""
        return [*self.tokenizer.encode(title).ids, END]

    def words(self, title: str) -> str:
        """A title as it is compared: lower case, tokens with one space between, unknown words as they are."""
        plain = self.tokenizer.normalizer.normalize_str(title)
        return " ".join(token for token, _ in self.tokenizer.pre_tokenizer.pre_tokenize_str(plain))

    def decode(self, numbers: Sequence[int]) -> str:
        """The words of some numbers, up to the end, without special tokens."""
        words: list[str] = []
        for number in numbers:
            if number == END:
                break
            if number >= len(_SPECIAL):
                words.append(str(self.tokenizer.id_to_token(number)))
        return " ".join(words)

    def to_text(self) -> str:
        """The tokenizer as JSON text."""
        return self.tokenizer.to_str()

    @classmethod
    def from_text(cls, text: str) -> CaptionTokenizer:
        """The tokenizer that `to_text` wrote."""
        return cls(Tokenizer.from_str(text))
