"""More odd inputs: tables, JSON and archives that are not what they look like."""

from __future__ import annotations

import io
import zipfile

from tests.bad_inputs import GOOD, LOG, Make, beside, file, odd

# -- tables and documents ---------------------------------------------------------------------------------------------
JSON_VALUES: dict[str, str] = {
    "null": "null",
    "true": "true",
    "a word": '"x"',
    "a list": "[1]",
    "an object": "{}",
    "a huge float": "1e999",
    "a huge integer": "1" + "0" * 400,
    "minus one": "-1",
    "a half": "1.5",
    "a number as text": '"1.5"',
    "NaN": "NaN",
    "Infinity": "-Infinity",
    "an empty text": '""',
    "a nested list": "[" * 50 + "]" * 50,
}
for number, (what, value) in enumerate(JSON_VALUES.items()):  # in a family each has losses of its own
    high, middle, low = f"4.6{number:02d}", f"4.5{number:02d}", f"4.4{number:02d}"
    rows = [f'{{"step": {s}, "val_loss": {v}}}' for s, v in ((100, middle), (200, low), (300, high))]
    odd(
        f"JSONL, a step of {what}",
        file("\n".join([*rows, f'{{"step": {value}, "val_loss": 9.9}}']) + "\n", "a.jsonl"),
        family="JSONL, steps",
    )
    odd(
        f"JSONL, a loss of {what}",
        file("\n".join([*rows[:2], f'{{"step": 250, "val_loss": {value}}}', rows[2]]) + "\n", "a.jsonl"),
        family="JSONL, losses",
    )
    odd(
        f"JSONL, a name of {what}",
        file(f'{{"name": {value}, "val_loss": {middle}}}\n{{"name": "b{number}", "val_loss": {high}}}\n', "a.jsonl"),
        family="JSONL, names",
    )
    odd(
        f"metrics.json, a loss of {what}",
        file(f'{{"eval": {{"eval_loss": {value}, "eval_runtime": 3}}, "train": {{"train_loss": 4.1}}}}', "metrics.json"),
        family="metrics.json",
    )
    history = f'[{{"step": {value}, "eval_loss": {middle}}}, {{"step": 20, "eval_loss": {low}}}]'
    odd(
        f"trainer_state.json, a step of {what}",
        file(f'{{"log_history": {history}, "max_steps": {value}}}', "s.json"),
        family="trainer_state.json",
    )
    head = f'"kind": "eval", "run": "a{number}", "segment": 0, "seq": 0, "ts": 1, "step": 5, "elapsed_s": 1'
    odd(f"an event with a value of {what}", file(f'{{{head}, "val/loss": {value}}}\n', "e.jsonl"), family="events")
DEEP = "[" * 100_000 + "]" * 100_000
odd("JSON nested too deeply", file('{"log_history": ' + DEEP + "}", "a.json"), runs=0)
odd(
    "JSONL nested too deeply",
    file(f'{{"step": 1, "val_loss": 4.5}}\n{{"step": 2, "val_loss": {DEEP}}}\n{{"step": 3, "val_loss": 4.4}}\n', "a.jsonl"),
    runs=None,
)
odd("JSON with equal keys", file('{"step": 1, "step": 2, "val_loss": 4.5, "val_loss": 4.6}\n' * 3, "a.jsonl"), runs=None)
odd("JSON that ends early", file('{"log_history": [{"step": 10, "eval_loss": 4.5}, {"st', "a.json"), runs=0)
odd(
    "JSONL with a torn end",
    file('{"step": 1, "val_loss": 4.5}\n{"step": 2, "val_loss": 4.4}\n{"step": 3, "val_lo', "a.jsonl"),
    runs=1,
    last=(4.4, 2),
    finding="pending",
)
odd(
    "JSONL with a torn middle",
    file('{"step": 1, "val_loss": 4.5}\n{"step": 2, "val_{"step": 3, "val_loss": 4.4}\n{"step": 4, "val_loss": 4.3}\n', "a.jsonl"),
    runs=1,
    last=(4.3, 4),
    finding="bad_lines",
)
odd("a JSON list", file("[1, 2, 3]", "a.json"), runs=0)
odd("a JSON text", file('"step 5 val_loss=3"', "a.json"), runs=0)
odd("a JSON number", file("5", "a.json"), runs=0)
odd("an empty object", file("{}", "a.json"), runs=0)
odd("a lone brace", file("{", "a.json"), runs=0)
odd(
    "JSON with a BOM",
    file(b"\xef\xbb\xbf" + b'{"step": 1, "val_loss": 4.5}\n{"step": 2, "val_loss": 4.4}\n', "a.jsonl"),
    runs=1,
    last=(4.4, 2),
)
odd("a lone surrogate in JSON", file('{"name": "\\ud800", "val_loss": 4.5}\n{"name": "b", "val_loss": 4.4}\n', "a.jsonl"), runs=2)
odd("a NUL in JSON", file('{"name": "a\\u0000b", "val_loss": 4.5}\n{"name": "b", "val_loss": 4.4}\n', "a.jsonl"), runs=2)
odd("prototype keys", file('{"__proto__": {"x": 1}, "constructor": 1, "step": 1, "val_loss": 4.5}\n', "a.jsonl"), runs=None)
ROWS = "".join(f"{i},4.{9 - i}\n" for i in range(1, 7))
odd(
    "200 columns",
    file(
        ",".join(f"c{i}" for i in range(200))
        + ",step,val_loss\n"
        + ",".join("1" for _ in range(200))
        + ",1,4.5\n"
        + ",".join("1" for _ in range(200))
        + ",2,4.4\n",
        "a.csv",
    ),
    runs=None,
)
odd("a million cells in a row", file("step,val_loss\n1,4.5\n2,4.4\n" + "," * 1_000_000 + "\n", "a.csv"), runs=1, last=(4.4, 2))
odd("CSV with a row too long", file(f"step,val_loss\n{ROWS}9,4.4,9,9\n10,4.3\n", "a.csv"), runs=1, last=(4.3, 10))
odd("CSV with a row too short", file(f"step,val_loss\n{ROWS}9\n10,4.3\n", "a.csv"), runs=1, last=(4.3, 10))
odd("CSV with an open quote", file('step,val_loss\n1,4.5\n2,"4.4\n3,4.3\n', "a.csv"), runs=None)
odd("CSV with equal columns", file("step,val_loss,val_loss\n1,4.5,4.6\n2,4.4,4.7\n", "a.csv"), runs=None)
odd("CSV with no header", file("1,4.5\n2,4.4\n", "a.csv"), runs=0)
odd("CSV with a header only", file("step,val_loss\n", "a.csv"), runs=0)
odd("CSV with semicolons and commas", file("step;val_loss\n1;4,5\n2;4,4\n", "a.csv"), runs=1, last=(4.4, 2))
odd("CSV with words for numbers", file("step,val_loss\n1,4.5\ntwo,4.4\n3,low\n4,4.3\n", "a.csv"), runs=1, last=(4.3, 4))
odd("CSV with a NaN and an inf", file("step,val_loss\n1,4.5\n2,nan\n3,inf\n4,4.3\n", "a.csv"), runs=1, best=(4.3, 4))
odd("CSV in UTF-16", file("step,val_loss\n1,4.5\n2,4.4\n".encode("utf-16"), "a.csv"), runs=1, last=(4.4, 2))
odd("CSV with CRLF and a BOM", file(b"\xef\xbb\xbfstep,val_loss\r\n1,4.5\r\n2,4.4\r\n", "a.csv"), runs=1, last=(4.4, 2))
odd("CSV with NUL", file(b"step,val_loss\n1,4.5\n2,4\x00.4\n3,4.3\n", "a.csv"), runs=1)
odd("CSV with the same run twice", file("name,seed,val_loss\na,1,4.5\na,1,4.6\nb,2,4.4\n", "a.csv"), runs=None)
odd("CSV with the same row twice", file("name,seed,val_loss\na,1,4.5\na,1,4.5\nb,2,4.4\n", "a.csv"), runs=2)
odd("CSV whose steps fall", file("step,val_loss\n100,4.5\n200,4.4\n150,4.3\n200,4.2\n", "a.csv"), runs=1, last=(4.2, 200))
odd("CSV with a float step", file("step,val_loss\n100.0,4.5\n200.0,4.4\n", "a.csv"), runs=1, last=(4.4, 200))


# -- archives ---------------------------------------------------------------------------------------------------------
def _zip(members: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as z:
        for name, data in members.items():
            z.writestr(zipfile.ZipInfo(name), data, compression)
    return out.getvalue()


def bomb(size: int, name: str) -> Make:
    """Made only when it is asked for: to deflate so much takes a second."""
    return lambda top: file(_zip({"archive/data.pkl": bytes(size)}, zipfile.ZIP_DEFLATED), name)(top)


odd("a zip bomb called .pt", bomb(200_000_000, "a.pt"), runs=0)
odd("a bomb beside a log", beside(bomb(50_000_000, "good.pt_best.pt")), **GOOD)
odd("a zip without a pickle", file(_zip({"readme.txt": b"hello"}), "a.pt"), runs=0)
odd("a zip with a path out of it", file(_zip({"../../evil/data.pkl": b"\x80\x02}q\x00."}), "a.pt"), runs=None)
odd("an empty zip", file(_zip({}), "a.pt"), runs=0)
odd("half a zip", file(_zip({"archive/data.pkl": b"\x80\x02}q\x00."})[:40], "a.pt"), runs=0)
odd("a text called .pt", file("hello\n", "a.pt"), runs=0)
odd("an empty .pt", file(b"", "a.pt"), runs=0)
odd("a log called .pt", file(LOG, "a.pt"), **GOOD)
odd("a log called .csv", file(LOG, "a.csv"), **GOOD)
odd("a log called .json", file(LOG, "a.json"), **GOOD)
odd("a CSV called .log", file("step,val_loss\n1,4.5\n2,4.4\n", "a.log"), runs=1, last=(4.4, 2))
odd("an event file that is cut", file(b'\x18\x00\x00\x00\x00\x00\x00\x00\xa3\x7fK"', "events.out.tfevents.1.host"), runs=0)
odd("an event file of length 2^63", file(b"\xff" * 12 + bytes(100), "events.out.tfevents.1.host"), runs=0)
