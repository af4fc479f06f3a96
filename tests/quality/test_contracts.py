"""Contracts: mistakes with their place; the same verdicts as the reference validator."""
import copy
import json
import random

import jsonschema
import yaml
from support.meesh import ROOT, Meesh, plain_mesh

SCHEMA = json.loads((ROOT / "src/quality/odcs/odcs-3.1.0.schema.json").read_text())
# What is checked beyond the published schema.
BEYOND = ("it is not told which table", "about a column", "does not say which values",
          "is no object", "mismatched input", "line ")


def check(folder, *files):
    return Meesh(folder, folder).run("contract", "check", "--mesh", folder, "--json", *files)


def test_a_good_contract_and_a_bad_one(folder, contract):
    plain_mesh(folder)
    (folder / "contracts").mkdir()
    good, bad = folder / "contracts" / "good.yaml", folder / "contracts" / "bad.yaml"
    good.write_text(yaml.safe_dump(contract(), sort_keys=False))
    bad.write_text("apiVersion: v3.1.0\nkind: DataContract\nid: x\nversion: 1.0.0\nstatus: active\n"
                   "schema:\n  - name: t\n    propertys: []\n")
    done = check(folder)
    answer = json.loads(done.stdout)
    assert done.returncode == 1
    assert [one["id"] for one in answer["contracts"]] == ["orders"]
    assert answer["contracts"][0]["checks"] == 6
    assert len(answer["mistakes"]) == 1
    assert "contracts/bad.yaml:8:5: unknown key 'propertys' (did you mean 'properties'?)" in (
        answer["mistakes"][0])
    assert check(folder, good).returncode == 0


def places(value, path=()):
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(
        value, list) else ()
    for key, item in items:
        yield from places(item, (*path, key))


def mutate(document, chance):
    """One change somewhere: a key gone, renamed or added, a value of another type."""
    path = chance.choice([p for p in places(document) if p])
    parent = document
    for key in path[:-1]:
        parent = parent[key]
    key, kind = path[-1], chance.randrange(5)
    if kind == 0 and isinstance(parent, dict):
        del parent[key]
    elif kind == 1 and isinstance(parent, dict):
        parent[chance.choice(["name", "type", "unknown", "description", "items"])] = parent[key]
    elif kind == 2:
        parent[key] = chance.choice([None, True, 1, 2.5, -1, "text", [], {}, ["a"], {"name": "a"}])
    elif kind == 3 and isinstance(parent[key], dict):
        added = chance.choice(["items", "quality", "tags", "logicalType", "team", "mustBe"])
        parent[key][added] = chance.choice([[], {}, "object", 5, ["x"]])
    elif isinstance(parent, list):
        parent.append(copy.deepcopy(parent[key]))
    return document


def test_the_verdicts_are_those_of_the_reference_validator(folder):
    plain_mesh(folder)
    (folder / "contracts").mkdir()
    chance = random.Random(31)
    seed = yaml.safe_load((ROOT / "tests/corpus/contract_fuzz/orders.yaml").read_text())
    validator = jsonschema.Draft201909Validator(SCHEMA)
    expected = {}
    for number in range(400):
        document = mutate(copy.deepcopy(seed), chance)
        if chance.random() < 0.3:
            document = mutate(document, chance)
        name = f"contracts/c{number:03}.yaml"
        (folder / name).write_text(json.dumps(document, indent=1))
        expected[name] = validator.is_valid(document)
    mistakes = {}
    for line in json.loads(check(folder).stdout)["mistakes"]:
        name = line[line.index("contracts/"):].split(":")[0]
        mistakes.setdefault(name, []).append(line)
    assert 50 < sum(expected.values()) < 350
    for name, valid in expected.items():
        told = [one for one in mistakes.get(name, []) if not any(word in one for word in BEYOND)]
        assert valid == (not told), (name, valid, mistakes.get(name), (folder / name).read_text())
