"""English verbs that names and descriptions of tools begin with, and their forms."""

from __future__ import annotations

# Ways to say a description's leading verb.
SYNONYMS: dict[str, tuple[str, ...]] = {
    "add": ("add",),
    "assess": ("assess", "evaluate", "judge"),
    "build": ("build", "put together", "make"),
    "calculate": ("calculate", "compute", "work out", "figure out"),
    "check": ("check", "verify", "find out"),
    "classify": ("classify", "categorize"),
    "compare": ("compare",),
    "compute": ("compute", "calculate", "work out"),
    "convert": ("convert", "change"),
    "count": ("count", "count up"),
    "create": ("create", "make", "put together"),
    "delete": ("delete", "remove"),
    "describe": ("describe", "tell me about"),
    "determine": ("determine", "find out", "work out"),
    "estimate": ("estimate", "work out", "approximate"),
    "explain": ("explain", "tell me"),
    "fetch": ("fetch", "get", "pull up"),
    "find": ("find", "look up", "find out"),
    "generate": ("generate", "create"),
    "get": ("get", "give me", "look up"),
    "list": ("list", "show", "give me"),
    "measure": ("measure", "work out"),
    "plan": ("plan", "work out"),
    "predict": ("predict", "estimate"),
    "recommend": ("recommend", "suggest"),
    "return": ("get", "give me", "look up"),
    "retrieve": ("retrieve", "get", "pull up"),
    "score": ("score", "rate"),
    "search": ("search", "look through"),
    "split": ("split", "divide"),
    "summarize": ("summarize", "sum up"),
    "update": ("update", "change"),
}


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Other verbs that names and descriptions begin with.
VERBS = frozenset(SYNONYMS) | _words(
    "accept project weigh owe contain denote hold indicate represent specify "
    "activate adjust allocate analyze apply approve arrange ask assign attach authorize balance blend book "
    "browse bulk calibrate call cancel capture change clear clone close collect combine complete configure confirm "
    "connect control copy correct curve cut deactivate decode define deploy design detect disable discard display "
    "download draft draw edit enable encode enter evaluate execute export extract fill filter format forward give "
    "grade grant group identify import insert inspect install invite issue join launch link load locate lock log look "
    "make manage map mark mask match merge modify monitor move name normalize notify open order organize pair parse "
    "patch pause pay perform place play post prepare print process produce propose provide publish pull purchase "
    "purge put query quote rank rate read rebuild record redeem refresh register reject release remove rename render "
    "renew replace reply report request reserve reset resize resolve restart restore resume revoke rotate run save "
    "scale scan schedule seed select send set settle share show simulate sort space start stop store submit subscribe "
    "suggest suspend switch sync tell test time total track train transfer translate turn unlock unsubscribe upload "
    "use validate verify view visit wait watch work write seat "
    "block choose compress conjugate crop deposit donate escalate factor file fit flip follow recharge redirect rent "
    "rewrite round shorten simplify smooth solve transcribe transpose withdraw "
)
CATALOGUE_VERBS = _words(
    "add batch cancel clear close copy create delete download export fetch find get import insert list modify move "
    "open patch publish query read remove reset run search send set start stop update upload write"
)
"""Verbs that catalogues put last, as in `files_list`."""
_DOUBLED = {"get", "put", "plan", "split", "set", "run", "stop", "map", "tag", "scan", "cut"}


def base_verb(word: str) -> str | None:
    """'Calculates' -> 'calculate'; None for what is no verb that is known."""
    lower = word.lower()
    for candidate in (lower, lower.removesuffix("s"), lower.removesuffix("es"), f"{lower.removesuffix('ies')}y"):
        if candidate in VERBS:
            return candidate
    return None


def gerund(verb: str) -> str:
    """'work out' -> 'working out', 'get' -> 'getting', 'calculate' -> 'calculating'."""
    head, space, tail = verb.partition(" ")
    if head in _DOUBLED:
        head += head[-1]
    elif head.endswith("e") and not head.endswith("ee"):
        head = head[:-1]
    return f"{head}ing{space}{tail}"
