// Asks files the handbook's held-out questions, in f32:
// FILES="merged-q4_0.gguf base-q4_0.gguf+ADAPTER" ./peft4j jshell benchmarks/shipping/ask.jsh
var answers = GenerationOptions.defaults().withMaxNewTokens(32);
var questions = Peft4j.questions(Path.of("examples/handbook/heldout.jsonl"));
void ask(String asked) {
    String[] parts = asked.split("\\+");
    try (var base = BaseModel.load(parts[0], ModelOptions.defaults().withPrecision(ModelOptions.Precision.F32))) {
        LanguageModel model = parts.length == 1 ? base : base.withAdapter(Path.of(parts[1]));
        System.out.println(asked + ": " + Peft4j.facts(model).options(answers).on(questions));
    }
}
for (String asked : System.getenv("FILES").split(" ")) ask(asked);
