#!/usr/bin/env python3
"""Compare Hearken's sentence engine with Python's hassil, reading by reading, and in speed.

    python3 -m venv venv && venv/bin/pip install hassil==3.12.1 home-assistant-intents==2026.10.27
    cargo build --release --example understand_intents
    venv/bin/python benches/peers/hassil_intents.py sample LANG… > sampled.jsonl
    venv/bin/python benches/peers/hassil_intents.py compare sampled.jsonl target/release/examples/understand_intents

`sample` draws sentences from the templates of each language (all languages when none is named) and
twists some of them (a word dropped, doubled or swapped), so that also sentences that mean nothing
are compared. `compare` lets both engines understand every line in the same home and prints every
difference, then a table of microseconds for each sentence.
"""
import json
import pathlib
import random
import statistics
import subprocess
import sys
import time

import hassil
from hassil.expression import Alternative, ListReference, Permutation, RuleReference, Sequence, TextChunk
from hassil.intents import Intents, RangeSlotList, TextSlotList
from hassil.numbers import get_rbnf_engine
import home_assistant_intents

DATA = pathlib.Path(home_assistant_intents.__file__).parent / "data"
CONTEXT = {"area": "Living Room"}
DOMAINS = ["light", "switch", "fan", "media_player", "cover", "lock", "climate", "vacuum", "scene", "todo",
           "sensor", "person", "valve", "lawn_mower", "weather", "script", "binary_sensor"]


def home(language):
    """A home with short and long, plain and hyphenated names, in the language's own words too."""
    areas = ["Kitchen", "Living Room", "Bed-Room", "客厅", "卧室"]
    floors = ["Ground", "First", "二楼"]
    entities = [(f"{domain.replace('_', ' ')} {word}", domain) for domain in DOMAINS for word in ("one", "A.C.")]
    entities += [("Lamp", "light"), ("Lamp Left", "light"), ("Living Room Lamp", "light"), ("台灯", "light")]
    return areas, floors, entities


def slot_lists(language):
    areas, floors, entities = home(language)
    return {
        "area": TextSlotList.from_tuples([(a, a) for a in areas], allow_template=False, name="area"),
        "floor": TextSlotList.from_tuples([(f, f) for f in floors], allow_template=False, name="floor"),
        "name": TextSlotList.from_tuples([(n, n, {"domain": d}) for n, d in entities], allow_template=False,
                                         name="name"),
    }


def load(language):
    return Intents.from_dict(json.loads((DATA / f"{language}.json").read_text("utf-8")))


def draw(expression, lists, rules, language, chance):
    """One sentence of a template, by chance."""
    again = lambda e: draw(e, lists, rules, language, chance)
    if isinstance(expression, TextChunk):
        return expression.original_text
    if isinstance(expression, Sequence):
        return "".join(again(item) for item in expression.items)
    if isinstance(expression, Alternative):
        return again(chance.choice(expression.items))
    if isinstance(expression, Permutation):
        items = expression.items[:]
        chance.shuffle(items)
        return "".join(again(item) for item in items)
    if isinstance(expression, RuleReference):
        return again(rules[expression.rule_name].expression)
    if isinstance(expression, ListReference):
        values = lists.get(expression.list_name)
        if isinstance(values, TextSlotList):
            return again(chance.choice(values.values).text_in)
        if isinstance(values, RangeSlotList):
            number = chance.choice(list(values.get_numbers()))
            if chance.random() < 0.5:
                try:
                    words = get_rbnf_engine(language).format_number(number).text_by_ruleset
                    return chance.choice(list(words.values()))
                except ValueError:
                    pass
            return str(number)
        return chance.choice(["milk", "the quick brown-fox", "one two", "牛奶", "Taylor Swift on tour"])
    raise ValueError(expression)


def sample(languages):
    for language in languages or sorted(path.stem for path in DATA.glob("*.json")):
        chance = random.Random(language)
        intents = load(language)
        lists = {**intents.slot_lists, **slot_lists(language)}
        for intent in intents.intents.values():
            for data in intent.data:
                for sentence in data.sentences:
                    text = draw(sentence.expression, lists, intents.expansion_rules, language, chance)
                    text = " ".join(text.split())
                    print(json.dumps({"language": language, "text": text}, ensure_ascii=False))
                    words = text.split()
                    if len(words) < 2 or chance.random() < 0.6:
                        continue
                    i, j = chance.randrange(len(words)), chance.randrange(len(words))
                    twist = chance.randrange(4)
                    if twist == 0:
                        words.pop(i)
                    elif twist == 1:
                        words.insert(i, words[i])
                    elif twist == 2:
                        words[i], words[j] = words[j], words[i]
                    else:
                        words[i] += chance.choice([",", "!", "-", "?", "..."])
                    print(json.dumps({"language": language, "text": " ".join(words)}, ensure_ascii=False))


def reading(result):
    if result is None:
        return None
    slots = {}
    for entity in result.entities.values():
        value = entity.value
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            value = float(value)
        if isinstance(value, str):
            value = value.strip()
        slots[entity.name] = value
    return {"intent": result.intent.name, "slots": slots, "response": result.response,
            "literal": result.text_chunks_matched}


def compare(path, program):
    rows = [json.loads(line) for line in open(path, encoding="utf-8")]
    by_language = {}
    for row in rows:
        by_language.setdefault(row["language"], []).append(row["text"])
    table = []
    total = different = 0
    for language, texts in by_language.items():
        areas, floors, entities = home(language)
        request = json.dumps({
            "file": str(DATA / f"{language}.json"), "context": CONTEXT, "areas": areas, "floors": floors,
            "entities": entities, "texts": texts})
        ours = subprocess.run([program], input=request, capture_output=True, text=True, check=True).stdout
        ours = [json.loads(line) for line in ours.splitlines()]
        assert len(ours) == len(texts), (len(ours), len(texts))
        intents = load(language)
        lists = slot_lists(language)
        hassil.recognize_best("warm up", intents, slot_lists=lists, intent_context=CONTEXT, best_slot_name="name")
        theirs_us, ours_us = [], []
        for text, our in zip(texts, ours):
            started = time.perf_counter()
            their = reading(hassil.recognize_best(text, intents, slot_lists=lists, intent_context=dict(CONTEXT),
                                                  best_slot_name="name"))
            theirs_us.append((time.perf_counter() - started) * 1e6)
            ours_us.append(our["us"])
            our = our["meaning"]
            if our:
                our["slots"] = {k: float(v) if isinstance(v, (int, float)) and not isinstance(v, bool) else v
                                for k, v in our["slots"].items()}
            total += 1
            # hassil 3.12.1 forgets a range's multiplier where the number is in words and an equal
            # range without one was used before.
            for one in (our, their):
                if one and "volume_step" in one["slots"]:
                    one["slots"]["volume_step"] = abs(one["slots"]["volume_step"])
            if our != their:
                different += 1
                print(json.dumps({"language": language, "text": text, "hearken": our, "hassil": their},
                                 ensure_ascii=False))
        def p(values, part):
            return sorted(values)[min(len(values) - 1, int(len(values) * part))]
        table.append((language, len(texts), statistics.median(ours_us), p(ours_us, .99),
                      statistics.median(theirs_us), p(theirs_us, .99)))
    print(f"\n{total - different} of {total} sentences read alike\n", file=sys.stderr)
    print(f"{'language':9}{'sentences':>10}{'hearken µs':>12}{'p99':>9}{'hassil µs':>12}{'p99':>10}", file=sys.stderr)
    for language, count, a, b, c, d in table:
        print(f"{language:9}{count:>10}{a:>12.1f}{b:>9.1f}{c:>12.1f}{d:>10.1f}", file=sys.stderr)


if __name__ == "__main__":
    if sys.argv[1] == "sample":
        sample(sys.argv[2:])
    else:
        compare(sys.argv[2], sys.argv[3])
