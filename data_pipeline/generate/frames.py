"""Sentence frames: a context-free grammar whose terminals are a tool's goal and its arguments.

A rule's alternatives are texts with {symbols}. `{^symbol}` begins a sentence. The terminals, which
`requests` fills in, are goal, doing, asked, question, keyword, details, clauses, terse, cases, shared and order.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from data_pipeline.generate.text import upper_first
from data_pipeline.generate.voice import Voice

Terminal = Callable[[], str]

RULES: dict[str, tuple[str, ...]] = {
    # Plain requests.
    "plain": (
        "{^lead}{goal} {conn} {details}.", "{^lead}{goal} {conn} {details}.", "{^ask} {goal} {conn} {details}?",
        "{^given} {details}, {goal}.", "{^lead}{goal}. {^clauses}.", "{^lead}{goal}. {input}{details}.",
        "{^clauses}. {^ask} {goal}?",
    ),
    "plain_thing": ("{^what} {asked} {conn} {details}?",),
    "plain_bare": ("{^lead}{goal}.",),
    "lead": (
        "", "", "", "please ", "I need to ", "I want to ", "I'd like to ", "help me ", "I have to ", "my task is to ",
    ),
    "ask": ("can you", "could you", "would you", "could you please"),
    "conn": ("with", "with", "using", "for", "given"),
    "given": ("with", "given", "for", "using"),
    "what": ("what is", "what would be", "can you tell me"),
    "input": ("Details: ", "Here is what I have: ", "Use these values: ", "Input: "),
    # The whole range of requests.
    "wide": (
        "{^wlead}{goal} {wconn} {details}.", "{^wlead}{goal} {wconn} {details}.", "{^wask} {goal} {wconn} {details}?",
        "{^wask} {goal} {wconn} {details}?", "{^wgiven} {details}, {goal}{now}.",
        "{^wgiven} {details}, {wask} {goal}?",
        "{^wlead}{goal}{now}. {^clauses}.", "{^wlead}{goal}{now}. {winput}{details}.",
        "{^clauses}. {^wask} {goal}{now}?",
        "{^clauses}. {based} {goal}.", "{^need} {doing} {wconn} {details}.",
        "{context} {^wask} {goal} {wconn} {details}?",
        "{context} {^wlead}{goal} {wconn} {details}.", "{context} {^clauses}. {^wask} {goal}{now}?",
        "{context} {^need} {doing} {wconn} {details}.", "{^so} {goal} {wconn} {details}.",
        "{^say} {clauses}. {^wask} {goal}{now}?",
    ),
    # Values woven into the goal.
    "woven": (
        "{^wovenlead}{order}.", "{^wovenlead}{order}.", "{^wovenlead}{order}.", "{^wovenlead}{order}", "{order}",
        "{^wovenask} {order}?", "{^wovenask} {order}?",
    ),
    "woven_told": ("{^order}.", "{^order}", "please {order}.", "can you {order}?", "{order}", "{^wovenask} {order}?"),
    "woven_thing": ("{^wovenwhat} {order}?",),
    "woven_price": ("{^wovenwhat} {order}?", "{^howmuch} {order}?", "{^howmuch} {order}?"),
    "woven_question": ("{^know} {order}?", "{^wovenwonder} {order}."),
    "wovenlead": ("", "", "", "", "", "", "please ", "I need to ", "I want to ", "I'd like to ", "help me "),
    "wovenask": ("can you", "could you", "can you please", "could you please", "would you"),
    "wovenwhat": ("what is", "what is", "what's", "what would be", "can you tell me", "do you know"),
    "howmuch": ("how much is", "so how much is"),
    "wovenwonder": ("I'd like to know", "I need to know", "tell me", "please tell me", "find out"),
    "wide_thing": (
        "{^wwhat} {asked} {wconn} {details}?", "{^wgiven} {details}, {wwhat} {asked}?",
        "{^clauses}. {^wwhat} {asked}?",
        "{context} {^wwhat} {asked} {wconn} {details}?", "{^after} {asked} {wconn} {details}.",
        "{^say} {clauses}. {^wwhat} {asked} then?",
    ),
    "wide_question": (
        "{^wonder} {question} {wconn} {details}.", "{^wgiven} {details}, {wonder} {question}.",
        "{^know} {question} {wconn} {details}?", "{^clauses}. {^wonder} {question}.",
        "{context} {^wonder} {question} {wconn} {details}.", "{context} {^clauses}. {^know} {question}?",
    ),
    "wide_bare": (
        "{^wlead}{goal}{now}.", "{^wask} {goal}{now}?", "{^need} {doing}{now}.", "{context} {^wask} {goal}{now}?",
        "{context} {^wlead}{goal}{now}.", "{context} {^need} {doing}.", "{^so} {goal}{now}.",
    ),
    "wide_bare_thing": ("{^wwhat} {asked}{now}?", "{^after} {asked}{now}.", "{context} {^wwhat} {asked}?"),
    "wide_bare_question": ("{^wonder} {question}{now}.", "{^know} {question}?", "{context} {^wonder} {question}."),
    "terse": (
        "{keyword}: {terse}", "{keyword}, {terse}", "{terse} - {goal}", "{keyword} {terse}",
        "need: {keyword}. {terse}",
        "{goal}: {terse}", "{terse}. {goal}", "{keyword} ({terse})",
    ),
    "terse_bare": ("{keyword}", "{goal}", "{keyword} please", "need {keyword}"),
    "chat": (
        "{chathi} {chatask} {goal} {wconn} {details}{chatend}", "{chathi} need to {goal}, {clauses}{chatend}",
        "{chathi} {clauses}. {chatask} {goal}{chatend}", "so {clauses}, {chatask} {goal}{chatend}",
        "{chathi} quick q - {chatask} {goal} {wconn} {details}{chatend}", "ok so {goal} {wconn} {details}{chatend}",
        "{chatwhy} so {chatask} {goal} {wconn} {details}{chatend}",
    ),
    "chat_bare": (
        "{chathi} {chatask} {goal}{chatend}", "{chathi} need to {goal}{chatend}", "ok so {goal}{chatend}",
        "{chatwhy} so {chatask} {goal}{chatend}",
    ),
    "chathi": ("hey", "hi", "hello", "yo", "hey there", "hiya", "sorry to bother,", "me again,", "ok,", "right,"),
    "chatask": ("can you", "can u", "could you", "would you mind to just", "pls", "please", "can you quickly",
        "can someone"),
    "chatwhy": (
        "my {who} keeps asking", "got asked about this {when}", "trying to sort this out {when}",
        "no clue how to do this",
        "my {who} needs this {when}", "in a bit of a rush",
    ),
    "chatend": ("", "", "?", " pls", " thx", " thanks!", "? thanks", " please :)", "? ty", "... thanks a lot", "!"),
    # Parts of wide requests.
    "wlead": (
        "", "", "please ", "I need to ", "I want to ", "I'd like to ", "help me ", "I have to ", "I'm trying to ",
        "I'm supposed to ", "kindly ", "let's ", "go ahead and ", "it's time to ", "I was asked to ", "just ",
        "my {who} wants me to ", "I still have to ", "for my {who}, ", "I was hoping to ", "I've been meaning to ",
        "for {purpose}, please ", "as part of {purpose}, I need to ", "{soon}, I have to ",
    ),
    "wask": (
        "can you", "could you", "would you", "could you please", "would you please", "will you", "are you able to",
        "would it be possible to", "is it possible to", "may I ask you to", "do you think you could",
        "can you quickly",
        "could I get you to", "would you be so kind as to", "can you help me", "could you help my {who}",
    ),
    "wconn": (
        "with", "with", "using", "for", "given", "based on", "taking", "assuming", "if I give you", "working from",
        "on the basis of", "when you take",
    ),
    "wgiven": (
        "with", "given", "for", "using", "based on", "assuming", "taking", "starting from", "considering",
        "suppose we have",
        "going by",
    ),
    "wwhat": (
        "what is", "what's", "what would be", "can you tell me", "could you tell me", "do you know", "may I ask for",
        "can I get", "could I have", "what would you say is",
    ),
    "wonder": (
        "I'm wondering", "I was wondering", "I'd like to know", "it'd help to know", "I want to find out",
        "I'm not sure", "I can't tell", "I'm curious", "I need to know", "it would be good to know", "please tell me",
        "my {who} wants to know", "we keep arguing about", "I've been asked",
    ),
    "know": (
        "do you know", "can you tell me", "could you tell me", "any idea", "can you work out", "would you check",
        "could you let me know", "can you let my {who} know",
    ),
    "after": (
        "I'm looking for", "I need", "I'd like", "I'm after", "I want to know", "please give me",
        "my {who} asked for",
        "I have to come up with", "I could use", "it would help to have",
    ),
    "need": (
        "I need help", "I need a hand", "I'd appreciate help", "I'm stuck", "I'm having trouble",
        "I'm thinking about",
        "I'm interested in", "I could use some help", "my {who} wants help", "I'm in charge of",
    ),
    "so": ("so I need to", "what I want is to", "the plan is to", "my goal is to", "all I want is to",
        "the task is to",
           "what I'm asking for is to", "next thing on my list is to"),
    "say": ("let's say", "suppose", "imagine", "assume", "picture this:", "say", "here's the situation:"),
    "based": ("Based on that, please", "With that,", "From this, please", "Now", "Knowing this, please", "So please",
              "On that basis,", "Given all that, please"),
    "now": ("", "", "", " now", " for me", " today", " for my {who}", " when you can", " for {purpose}"),
    "winput": (
        "Details: ", "Here is what I have: ", "Use these values: ", "Input: ", "Here are the facts: ",
        "What I know: ",
        "This is what my {who} gave me: ", "From my notes: ", "These are the settings: ", "For reference: ",
    ),
    # Why somebody asks.
    "context": (
        "I'm {activity} {when}.", "I'm {activity}.", "My {who} {told} {when}.", "I've been {activity} {when}.",
        "My {who} and I are {activity}.", "{^soon}, I was {activity}.", "Sorry, I'm {activity}.",
        "While {activity}, I got stuck.",
    ),
    "activity": (
        "getting ready for {purpose}", "putting together {material} for {purpose}", "cleaning up {material}",
        "helping my {who} with {purpose}", "going through {material}", "double-checking {material}",
        "finishing {material} for my {who}", "working on {purpose}", "sorting out {material} with my {who}",
        "preparing {material}", "filling in {material} for my {who}", "trying to finish {purpose}",
    ),
    "material": (
        "some paperwork", "an old spreadsheet", "my notes", "a short write-up", "a handout", "a few slides",
        "a to-do list", "the last open points", "a draft", "a checklist", "a little guide", "some loose ends",
    ),
    "purpose": (
        "a side project", "a workshop", "my {who}", "next week", "a chat with my {who}", "a small get-together",
        "a blog entry", "the weekend", "a club evening", "a presentation", "an assignment", "a big deadline",
    ),
    "who": (
        "sister", "brother", "neighbor", "colleague", "manager", "roommate", "uncle", "cousin", "friend", "aunt",
        "partner", "boss", "daughter", "son", "mother", "father", "grandmother", "coworker", "assistant", "mentor",
    ),
    "told": (
        "asked me about this", "brought this up", "sent me a question", "called about this", "wanted to know more",
        "left me a note about this", "was curious about this", "would not stop asking",
    ),
    "when": (
        "this morning", "tonight", "earlier today", "yesterday", "over breakfast", "last night", "this week",
        "the other day", "at the office", "on the train", "after dinner", "on the phone",
    ),
    "soon": ("this morning", "today", "before lunch", "by tonight", "right now", "this afternoon",
        "over the weekend"),
    # Several calls.
    "cases": ("{^lead}{goal} for each of these: {cases}.",),
    "wide_cases": (
        "{^wlead}{goal} for each of these: {cases}.", "{^wask} {goal} for the following: {cases}?",
        "{^wlead}{goal} several times: {cases}.", "{^need} {doing} for these cases: {cases}.",
        "{context} {^wask} {goal} for all of these: {cases}?", "{^wlead}{goal}, first with {ordered}.",
        "{^wask} {goal}, once with {ordered}?", "{context} {^wlead}{goal}, starting with {ordered}.",
    ),
    "wide_shared": (
        "{^wlead}{goal} with {shared} in every case: {cases}.",
        "{^wask} {goal}, always with {shared}, for {ordered}?",
        "{^wlead}{goal}: {cases}. Each time with {shared}.", "{^given} {shared} throughout, {goal} for {ordered}.",
    ),
    "repeat": (
        "Then do the same with {details}.", "Also do it with {details}.", "And once more with {details}.",
        "Repeat that with {details}.",
    ),
    "wide_repeat": (
        "Then do the same with {details}.", "Also do it with {details}.", "And once more with {details}.",
        "Repeat that with {details}.", "Same thing again with {details}.", "Do that again using {details}, please.",
        "I also want it for {details}.", "After that, the same for {details}.", "Can you also run it for {details}?",
        "How about with {details}?", "And what about {details}?",
    ),
    "link": ("Also, ", "After that, ", "Then, ", "In addition, ", "Besides that, ", "Next, "),
    "wide_link": (
        "Also, ", "After that, ", "Then, ", "In addition, ", "Besides that, ", "Next, ", "On top of that, ",
        "While you're at it, ", "And another thing: ", "Once that's done, ", "Separately, ", "Apart from that, ",
        "And since my {who} asked too, ",
    ),
    # Around a query.
    "opener": ("", "", "", "", "Hi, ", "Hello! ", "Quick one: ", "For my notes, ", "One more thing: ", "Hey, ",
               "For a report, "),
    "closer": ("", "", "", "", " Thanks!", " Thank you.", " Please be exact."),
    "wide_opener": (
        "", "", "", "", "", "", "Hi, ", "Hello! ", "Quick one: ", "For my notes, ", "One more thing: ", "Hey, ",
        "Good morning! ", "Hi there! ", "Good evening, ", "Quick question: ", "If you have a moment, ", "OK, ",
        "Right, ",
        "Hello again, ", "When you get a chance, ", "Dear assistant, ", "Sorry to bother you again: ",
        "For my {who}: ",
        "Just for {purpose}: ", "Before I forget, ",
    ),
    "wide_closer": (
        "", "", "", "", "", "", "", "", " Thanks!", " Thank you.", " Please be exact.", " Thanks in advance!",
        " Cheers!",
        " That's all for now.", " I'd really appreciate it.", " Take your time.", " My {who} is waiting for it.",
        " It's for {purpose}.", " Whenever you have time.", " I need it for {purpose}.", " Much appreciated!",
        " Let me know what you get.", " It would make my {who} happy.",
    ),
}  # fmt: skip

Parts = tuple[str, ...]


def parsed(rules: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[Parts, ...]]:
    """Each alternative as literal and symbol in turn: ('', '^lead', '', 'goal', '.')."""
    return {symbol: tuple(tuple(re.split(r"\{([^}]*)\}", text)) for text in texts) for symbol, texts in rules.items()}


_PARSED = parsed(RULES)


def expand(
    symbol: str,
    terminals: Mapping[str, Terminal],
    voice: Voice,
    rules: Mapping[str, tuple[Parts, ...]] = _PARSED,
) -> str:
    """A text for the symbol; terminals come from the mapping, everything else from the rules."""
    pieces: list[str] = []
    starts = False
    for index, part in enumerate(voice.pick(rules[symbol])):
        text = part
        if index % 2:
            name = part.removeprefix("^")
            starts = starts or part != name
            terminal = terminals.get(name)
            text = terminal() if terminal else expand(name, terminals, voice, rules)
        # Where a symbol is empty, what follows it begins the sentence.
        pieces.append(upper_first(text) if starts else text)
        starts = starts and not text
    return "".join(pieces)
