"""A sentiment by counting words of praise and blame in a few languages."""

import re

WORDS = re.compile(r"\w+(?:['’]\w+)?")  # noqa: RUF001 - both apostrophes occur in real text
DENIALS = "not no never isn't wasn't don't didn't doesn't can't won't nicht kein pas non nunca não"
#: Words of each kind, one string to keep the lists readable.
POSITIVE = """
    good great excellent love loved loves lovely amazing wonderful fantastic happy best perfect nice enjoy enjoyed
    awesome brilliant delightful pleased recommend superb beautiful fast friendly helpful thanks
    gut toll wunderbar liebe großartig bon bonne excellente génial adore magnifique merveilleux parfait
    bueno buena excelente maravilloso encanta genial feliz perfecto buono ottimo bellissimo felice bom ótimo adoro
    хорошо отлично прекрасно люблю замечательно"""
NEGATIVE = """
    bad terrible awful hate hated hates horrible worst poor sad angry disappointing disappointed broken boring ugly
    useless slow rude dirty annoying waste refund unhappy dreadful
    schlecht furchtbar hasse schrecklich traurig mauvais mauvaise horrible déteste nul triste affreux
    malo mala odio peor cattivo pessimo terribile ruim péssimo
    плохо ужасно ненавижу отвратительно"""
#: Languages that write without spaces are searched for these.
POSITIVE_SIGNS = ("喜欢", "很好", "太棒", "最高", "素晴らしい", "좋아")
NEGATIVE_SIGNS = ("讨厌", "糟糕", "很差", "最悪", "ひどい", "싫어")


def judge(text: str) -> dict[str, object]:
    """Return a label and how sure it is, 0.5 to 0.99. A denial just before a word turns it round."""
    praise = sum(text.count(sign) for sign in POSITIVE_SIGNS)
    blame = sum(text.count(sign) for sign in NEGATIVE_SIGNS)
    positive, negative, denials = (frozenset(listed.split()) for listed in (POSITIVE, NEGATIVE, DENIALS))
    words = [word.replace("’", "'") for word in WORDS.findall(text.lower())]  # noqa: RUF001 - as above
    for place, word in enumerate(words):
        denied = not denials.isdisjoint(words[max(0, place - 2) : place])
        praise += word in (negative if denied else positive)
        blame += word in (positive if denied else negative)
    lead = abs(praise - blame)
    if not lead:
        return {"label": "neutral", "score": 0.8 if not praise else 0.6}
    score = min(0.99, round(0.6 + 0.39 * lead / (lead + 1), 2))
    return {"label": "positive" if praise > blame else "negative", "score": score}
