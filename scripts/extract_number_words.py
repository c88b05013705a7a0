#!/usr/bin/env python3
"""Extract from CLDR's rule-based spellings what number words need.

    npm pack cldr-rbnf@48.2.0 && tar xzf cldr-rbnf-48.2.0.tgz
    python3 scripts/extract_number_words.py package/rbnf > src/intent/cldr/spellout.txt

Kept: the public cardinal and numbering rule sets (no years, no ordinals, no
verbose forms) of the languages below, what they refer to, and rules up to 10^9.
The output has one `@language` line for each language, one `%ruleset` line for
each rule set (`%%` marks a private one) and one `base<TAB>rule` line for each
rule, with ICU's own syntax.
"""
import json
import pathlib
import re
import sys

LANGUAGES = """af am ar az be bg bs ca cs cy da de de-CH el en eo es et fa fi fil fo fr fr-BE fr-CH ga he hi
hr hu hy id is it ja ka kk km ko ky lb lo lt lv mk ms mt my ne nl nn no pl pt pt-PT ro ru sk sl sq sr sr-Latn
sv sw ta th tr uk vi yue zh zh-Hant""".split()
BIGGEST = 10**9
# Where CLDR 48.2 spells otherwise than people speak: for (language, base) the rules instead, where
# {} is the rule that CLDR has.
THOUSANDS = "<%spellout-cardinal-{}< $(cardinal,one{{{}}}few{{{}}}other{{{}}})$[ >>]"
CORRECTIONS = {
    ("cs", "1000"): {"1000": "tisíc[ >>]"},
    ("cs", "2000"): {"2000": THOUSANDS.format("masculine", "tisíc", "tisíce", "tisíc")},
    ("lt", "x.x"): {"x.x": "<< kablelis >>"},
    ("ro", "100"): {"100": "o sută[ >>]"},
    ("ro", "1000"): {"1000": "o mie[ >>]"},
    ("sk", "100"): {"100": "sto[ >>]", "200": "{}"},
    ("sk", "1000"): {
        "1000": "tisíc[ >>]",
        "2000": THOUSANDS.format("feminine", "tisíc", "tisíce", "tisíc"),
    },
    ("sl", "14"): {"14": "štirinajst"},
    ("sl", "18"): {"18": "osemnajst"},
    ("sl", "20"): {"20": "dvajset[ >>]"},
    ("sl", "200"): {"200": "dvesto[ >>]"},
    ("sl", "1000"): {"1000": "tisoč[ >>]"},
    ("sl", "2000"): {"2000": "<%spellout-cardinal-masculine< tisoč[ >>]"},
    ("sl", "5000"): {"5000": "<%spellout-cardinal-masculine< tisoč[ >>]"},
    ("sr", "1000"): {"1000": "хиљаду[ >>]"},
    ("sr", "2000"): {"2000": THOUSANDS.format("feminine", "хиљада", "хиљаде", "хиљада")},
    ("sr-Latn", "1000"): {"1000": "hiljadu[ >>]"},
    ("sr-Latn", "2000"): {"2000": THOUSANDS.format("feminine", "hiljada", "hiljade", "hiljada")},
}
REFERENCE = re.compile(r"%%?[a-z0-9-]+", re.IGNORECASE)


def wanted(name):
    return (
        name.startswith("%spellout")
        and not name.startswith("%%")
        and "ordinal" not in name
        and "year" not in name
        and "verbose" not in name
        and ("cardinal" in name or "numbering" in name)
    )


def small(base):
    number = base.split("/")[0].rstrip(">")
    return not number.isdigit() or int(number) <= BIGGEST


folder = pathlib.Path(sys.argv[1])
print("# Made by scripts/extract_number_words.py from cldr-rbnf (CLDR 48.2, Unicode-3.0, see LICENSE).")
for language in LANGUAGES:
    groups = json.loads((folder / f"{language}.json").read_text("utf-8"))["rbnf"]["rbnf"]
    sets = {n: r for n, r in groups["SpelloutRules"].items() if isinstance(r, list)}
    keep, open_sets = set(), [n for n in sets if wanted(n)]
    while open_sets:
        name = open_sets.pop()
        if name in keep or name not in sets:
            continue
        keep.add(name)
        for base, rule in sets[name]:
            if small(base) and base not in ("NaN", "Inf"):
                open_sets += REFERENCE.findall(rule)
    print(f"@{language}")
    for name, rules in sets.items():
        if name not in keep:
            continue
        print(name)
        for base, rule in rules:
            if small(base) and base not in ("NaN", "Inf"):
                rule = rule.replace("→", ">").replace("←", "<").replace("−", "-" if base == "-x" and rule.startswith("−→") else "−")
                rule = rule.removesuffix(";")
                instead = {} if "ordinal" in name else CORRECTIONS.get((language, base), {})
                for base, text in (instead or {base: "{}"}).items():
                    print(f"{base}\t{rule if text == '{}' else text}")
