"""The same work as io.peft4j.benchmarks.DataScale with Python's tools, on the same rows.

    pip install datasets==5.2.0 datasketch==2.0.0
    python data_scale.py rows.jsonl [processes]

Reads with `datasets`, cleans white space, drops equal rows by hash, finds near duplicates by MinHash LSH (datasketch, words
as set, threshold 0.8, 60 permutations as PEFT4J uses) and splits at random. PEFT4J also judges each pair, finds
contradictions and personal data, and keeps groups together in the split, which these tools do not.
"""
import hashlib
import re
import resource
import sys
import time

import datasets
from datasketch import MinHash, MinHashLSH

SPACE = re.compile(r"\s+")


def say(what, rows, begin):
    seconds = time.time() - begin
    own, others = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = own.ru_utime + own.ru_stime + others.ru_utime + others.ru_stime
    print(f"{what}: {rows:,} rows in {seconds:.1f} s ({cpu:.1f} s of processors), {rows / seconds:,.0f} rows/s, "
          f"peak resident {max(own.ru_maxrss, others.ru_maxrss) / 1e3:,.0f} MB", flush=True)


def clean(row):
    text = "\n".join(SPACE.sub(" ", m["content"]).strip() for m in row["messages"])
    mh = MinHash(num_perm=60, seed=1)
    mh.update_batch([w.encode() for w in set(text.lower().split())])
    return {"key": hashlib.blake2b(text.encode(), digest_size=8).hexdigest(), "hashes": mh.hashvalues.tolist()}


def main():
    path = sys.argv[1]
    processes = int(sys.argv[2]) if len(sys.argv) > 2 else 2
    datasets.disable_progress_bars()
    begin = time.time()
    rows = datasets.load_dataset("json", data_files=path, split="train")
    say("read", len(rows), begin)
    rows = rows.map(clean, num_proc=processes)
    say("clean and MinHash", len(rows), begin)
    seen = set()
    lsh = MinHashLSH(threshold=0.8, num_perm=60)
    scheme = MinHash(num_perm=60, seed=1).scheme
    kept = []
    equal = near = 0
    for batch_start in range(0, len(rows), 1000):
        batch = rows[batch_start:batch_start + 1000]
        for offset, (key, hashes) in enumerate(zip(batch["key"], batch["hashes"])):
            if key in seen:
                equal += 1
                continue
            seen.add(key)
            mh = MinHash(num_perm=60, seed=1, hashvalues=hashes, scheme=scheme)
            if lsh.query(mh):
                near += 1
                continue
            lsh.insert(batch_start + offset, mh)
            kept.append(batch_start + offset)
    say(f"near duplicates ({equal} equal, {near} near)", len(rows), begin)
    parts = rows.select(kept).train_test_split(test_size=0.2, seed=0)
    parts["train"].to_json(path + ".train.jsonl")
    parts["test"].to_json(path + ".test.jsonl")
    say("all", len(rows), begin)


if __name__ == "__main__":
    main()
