// Asks files for each of the handbook's 44 facts in one of its held-out wordings, in f32:
// FILES="merged-q4_0.gguf base-q4_0.gguf+ADAPTER" ./peft4j jshell benchmarks/shipping/ask.jsh
var answers = GenerationOptions.defaults().withMaxNewTokens(32);
var all = Peft4j.questions(Path.of("examples/handbook/heldout.jsonl"));
var facts = new HashSet<List<String>>();
var questions = all.stream().filter(question -> facts.add(question.mustContain())).toList();
void ask(String asked) {
    String[] parts = asked.split("\\+");
    try (var base = BaseModel.load(parts[0], ModelOptions.defaults().withPrecision(ModelOptions.Precision.F32))) {
        LanguageModel model = parts.length == 1 ? base : base.withAdapter(Path.of(parts[1]));
        System.out.println(asked + ": " + Peft4j.facts(model).options(answers).on(questions));
    }
}
for (String asked : System.getenv("FILES").split(" ")) ask(asked);
