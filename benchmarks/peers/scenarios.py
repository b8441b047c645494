"""What is compared: each scenario is a figure, and a command for each side that prints it as a JSON line."""
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Callable
from uuid import uuid4

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PROMPT = "Tell me about the sea."
DECODED = 128
# As a server has them: the optimizing compiler when the JVM thinks fit, not as late as the launcher lets it for short
# commands, and the loops in vector registers. The first answers are not measured, here as with the peers.
LONG_LIVED = ("-XX:Tier4InvocationThreshold=5000 -XX:Tier4MinInvocationThreshold=600 -XX:Tier4CompileThreshold=15000 "
              "-XX:Tier4BackEdgeThreshold=40000 --add-modules jdk.incubator.vector")


@dataclass(frozen=True)
class Side:
    """One program: its name in the table, and its command line for the options of the comparison."""
    name: str
    command: Callable


@dataclass(frozen=True)
class Scenario:
    """A figure that several programs are compared by; the first is PEFT4J."""
    name: str
    what: str
    sides: tuple
    key: str = "tokens_per_s"
    unit: str = "tokens/s"
    more_is_better: bool = True

    def alone(self):
        return replace(self, sides=self.sides[:1])


def peft4j(*words, java=""):
    def command(a):
        return ["env", f"PEFT4J_JAVA_OPTS={java}", ROOT / "peft4j", *expand(words, a, a.model),
                "--threads", str(a.threads), "--json"]
    return Side("peft4j", command)


def hugging_face(*words, name="HF"):
    return Side(name, lambda a: [a.python, HERE / "hf.py", *expand(words, a, a.peer), "--threads", str(a.threads)])


def llama_cpp():
    return Side("llama.cpp", lambda a: [a.python, HERE / "llama_cpp_decode.py", "--model", a.model, "--prompt", PROMPT,
                                        "--new-tokens", str(DECODED), "--steps", "5", "--threads", str(a.threads)])


def quickstart(a):
    """Into a folder of its own, and without the base model's answers of an earlier run."""
    folder = Path(a.scratch) / uuid4().hex
    return [ROOT / "peft4j", "quickstart", "--model", str(a.model), "--output", folder / "adapter", "--answers",
            folder / "answers.jsonl", "--threads", str(a.threads), "--json"]


def expand(words, a, model):
    """The words with the places that the options name, and with their number of steps."""
    known = {"MODEL": str(model), "TRAIN": str(a.handbook / "train.jsonl"),
             "HELDOUT": str(a.handbook / "heldout.jsonl")}
    result = [known.get(word, word) for word in words]
    if a.steps and "--steps" in result:
        result[result.index("--steps") + 1] = str(a.steps)
    return result


def training(shape, dtype, name=None, steps=8, kernels=None, **more):
    words = ("train", "--model", "MODEL", "--shape", shape, "--steps", str(steps), "--dtype")
    side = peft4j("bench", *words, dtype, java=f"-Dpeft4j.kernels={kernels}" if kernels else "")
    # The peer has no quantized base that it trains on a CPU: it runs what it is fastest with.
    peer = (*words, "bf16" if dtype == "int8" else dtype)
    compiled = (hugging_face(*peer, "--compile", name="HF compiled"),) if more.get("compiled") else ()
    label = f"training {shape} {dtype}" + (f", {kernels} kernels" if kernels else "") + (
        " (peer: bf16)" if dtype == "int8" else "")
    return Scenario(name or f"train-{shape}-{dtype}", label, (side, hugging_face(*peer)) + compiled)


def handbook(dtype, peer="bf16"):
    words = ("train", "--model", "MODEL", "--data", "TRAIN", "--batch-size", "8")
    return Scenario(f"handbook-{dtype}", f"handbook, batch 8, {dtype} (peer: {peer})",
                    (peft4j("bench", *words, "--dtype", dtype), hugging_face(*words, "--dtype", peer)),
                    "examples_per_s", "examples/s")


def questions(name, dtype):
    return Scenario(name, f"the handbook's questions, 32 new tokens, batches of 20, {dtype}",
                    (peft4j("bench", "generate", "--model", "MODEL", "--data", "HELDOUT", "--max-new-tokens", "32",
                            "--batch-size", "20", "--dtype", dtype, "--steps", "1"),
                     hugging_face("generate", "--model", "MODEL", "--data", "HELDOUT", "--new-tokens", "32", "--batch",
                                  "20", "--dtype", dtype)))


def decode(name, dtype, *peers):
    return Scenario(name, f"single-stream decode, {DECODED} tokens, {dtype}",
                    (peft4j("bench", "generate", "--model", "MODEL", "--prompt", PROMPT, "--dtype", dtype,
                            "--max-new-tokens", str(DECODED), "--steps", "5", java=LONG_LIVED), *peers))


HF_F32 = hugging_face("generate", "--model", "MODEL", "--prompt", PROMPT, "--new-tokens", str(DECODED), "--dtype", "f32",
                      "--steps", "2", name="HF f32")

SCENARIOS = (
    training("4x128", "bf16", name="train-4x128", compiled=True),
    training("2x512", "bf16", name="train-2x512", steps=4),
    training("1x2048", "bf16", name="train-1x2048", steps=2),
    training("4x128", "f32", name="train-4x128-f32", steps=4),
    training("2x512", "f32", name="train-2x512-f32", steps=4),
    training("1x2048", "f32", name="train-1x2048-f32", steps=2),
    training("4x128", "f32", name="train-4x128-portable", steps=4, kernels="nd4j"),
    training("4x128", "int8", name="train-4x128-int8"),
    handbook("bf16"),
    handbook("int8"),
    # What a processor without bf16 products is fastest with.
    handbook("f32", peer="f32"),
    questions("questions", "bf16"),
    questions("questions-f32", "f32"),
    decode("decode-f32", "f32", HF_F32),
    decode("decode-bf16", "bf16", HF_F32, llama_cpp()),
    decode("decode-q4", "q4", HF_F32, llama_cpp()),
    Scenario("start", "process start to the first finished update, 4x128 bf16",
             (peft4j("bench", "train", "--model", "MODEL", "--dtype", "bf16", "--steps", "1", "--warmup", "1"),
              hugging_face("train", "--model", "MODEL", "--dtype", "bf16", "--steps", "1", "--warmup", "1")),
             "first_step_s", "s", more_is_better=False),
    Scenario("quickstart", "quickstart: both rounds of questions and the training",
             (Side("peft4j", quickstart),), "seconds", "s",
             more_is_better=False),
)
