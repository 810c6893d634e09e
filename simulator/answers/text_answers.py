"""Made-up but plausible answers to text: summary, translation, chat."""

import re
import unicodedata
from collections import Counter
from itertools import cycle, islice

from simulator.providers.conversation import Conversation

SENTENCE_END = re.compile(r"(?<=[.!?])\s+|(?<=[。！？])\s*")  # noqa: RUF001 - full stops of Chinese and Japanese
WORD_BOUND = re.compile(r"(\d+)[\s-]+words?\b", re.IGNORECASE)
TARGET_LANGUAGE = re.compile(r"\binto\s+([^.\n]+)", re.IGNORECASE)
AFTER_LANGUAGE = re.compile(r"\s*(?:[,;:(]|\bfrom\b|\band\b).*", re.DOTALL)
SUMMARY_SENTENCES = 3
SUMMARY_WORDS = 60
LONGEST_REPLY_WORDS = 20_000
#: First word of a letter's Unicode name -> the language it most likely stands for.
SCRIPTS = {
    "CYRILLIC": "Russian",
    "CJK": "Chinese",
    "HIRAGANA": "Japanese",
    "KATAKANA": "Japanese",
    "HANGUL": "Korean",
    "ARABIC": "Arabic",
    "HEBREW": "Hebrew",
    "GREEK": "Greek",
    "DEVANAGARI": "Hindi",
    "THAI": "Thai",
}


def word_bound(text: str) -> int | None:
    """Return the number that stands before "words", None without one."""
    found = WORD_BOUND.search(text)
    return int(found.group(1)) if found else None


def summarize(asked: Conversation) -> dict[str, object]:
    """Return the first sentences, as many as fit the bound of words that the instructions name."""
    bound = word_bound(asked.instructions) or SUMMARY_WORDS
    chosen: list[str] = []
    for sentence in SENTENCE_END.split(asked.text.strip())[:SUMMARY_SENTENCES]:
        words = sentence.split()
        if len(chosen) + len(words) > bound:
            break
        chosen += words
    return {"summary": " ".join(chosen or asked.text.split()[:bound])}


def translate(asked: Conversation) -> dict[str, object]:
    """Return the text marked with the language that the instructions ask for, "[French] ..."."""
    found = TARGET_LANGUAGE.search(asked.instructions)
    language = AFTER_LANGUAGE.sub("", found.group(1)).strip(" \"'`*<>") if found else ""
    return {
        "translation": f"[{language or 'translated'}] {asked.text.strip()}",
        "source_language": guess_language(asked.text),
    }


def chat(asked: Conversation) -> str:
    """Return a short reply that quotes the question; one of exactly N words when the question says "N words"."""
    earlier = f"{asked.history} earlier message{'' if asked.history == 1 else 's'}"
    reply = f'You said: "{asked.text.strip()}". This is a simulated reply; I have seen {earlier} of our conversation.'
    wanted = word_bound(asked.text)
    return reply if wanted is None else " ".join(islice(cycle(reply.split()), min(wanted, LONGEST_REPLY_WORDS)))


def tell(results: str) -> str:
    """Return a short reply that quotes what tools gave."""
    return f'The tools gave: "{results.strip()}". This is a simulated reply.'


def guess_language(text: str) -> str:
    """Return the language that most letters' script suggests; English for Latin letters."""
    scripts = Counter(unicodedata.name(letter, "").split(" ")[0] for letter in text if letter.isalpha())
    known = Counter({SCRIPTS[script]: count for script, count in scripts.items() if script in SCRIPTS})
    if known["Japanese"]:
        return "Japanese"
    return known.most_common(1)[0][0] if known.total() * 2 > scripts.total() else "English"
