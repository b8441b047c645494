package io.peft4j.stress;

import io.peft4j.core.engine.Engine.Priority;
import io.peft4j.core.engine.Workspace;
import io.peft4j.core.kernel.KernelSelection;
import io.peft4j.core.model.Completion;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.model.ModelLease;
import io.peft4j.core.model.Pass;
import io.peft4j.core.model.Prompt;
import io.peft4j.core.nn.PackedBatch;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.lora.LoraConfig;
import io.peft4j.models.BaseModel;
import io.peft4j.models.ModelOptions;
import io.peft4j.models.hub.ModelLocator;
import io.peft4j.train.TrainingPasses;
import io.peft4j.train.optimizer.AdamW;
import io.peft4j.train.optimizer.Updates;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/**
 * What each model says alone, and where a training ends alone.
 *
 * @param prompts prompts whose answers do not hang on rounding
 * @param answers to each of them, by the name of the adapter
 * @param trained the tensors of an adapter after {@link #train}
 */
record Expected(List<Prompt> prompts, Map<String, List<String>> answers, List<float[]> trained) {
    static final GenerationOptions OPTIONS = GenerationOptions.defaults().withMaxNewTokens(6);
    /** The adapters that are loaded, by the names that they have here. */
    static final Map<String, Path> ADAPTERS = adapters();
    private static final Path FIXTURES = Path.of("../../tests/fixtures");
    private static final int PROMPTS = 12;
    /** Batches of other sizes add in another order, which moves logits by up to 2e-4 here. */
    private static final double CLEAR = 5e-3;

    private static Map<String, Path> adapters() {
        Map<String, Path> all = new LinkedHashMap<>();
        for (String name : List.of("lora", "rslora", "dora", "exclude")) {
            all.put(name, Path.of("../../tests/fixtures", "adapters", name));
        }
        return all;
    }

    static BaseModel load() {
        return BaseModel.load(ModelLocator.fromEnvironment().locate(FIXTURES.resolve("tiny-llama").toString()),
                ModelOptions.defaults().withPrecision(ModelOptions.Precision.F32), KernelSelection.best(2));
    }

    static Expected compute() {
        try (BaseModel base = load(); PeftModel model = new PeftModel(base)) {
            ADAPTERS.forEach(model::loadAdapter);
            Map<String, LanguageModel> models = new LinkedHashMap<>(Map.of(PeftModel.BASE, base));
            ADAPTERS.keySet().forEach(name -> models.put(name, model.with(name)));
            List<Prompt> clear = new ArrayList<>();
            SplittableRandom random = new SplittableRandom(7);
            while (clear.size() < PROMPTS) {
                int[] ids = random.ints(random.nextInt(3, 20), 5, 300).toArray();
                if (models.values().stream().allMatch(each -> isClear(each, ids))) {
                    clear.add(Prompt.tokens(ids));
                }
            }
            Map<String, List<String>> answers = new LinkedHashMap<>();
            models.forEach((name, each) -> answers.put(name,
                    clear.stream().map(prompt -> text(each.generate(List.of(prompt), OPTIONS).get(0))).toList()));
            return new Expected(clear, answers, train(base));
        }
    }

    /** A few steps of LoRA with dropout on a new adapter; its tensors at the end. */
    static List<float[]> train(BaseModel base) {
        LoraConfig config = LoraConfig.builder().rank(4).alpha(8).dropout(0.1).targetModules("q_proj", "v_proj")
                .build();
        List<TokenSequence> examples = IntStream.range(0, 8).mapToObj(i -> TokenSequence.allSupervised(
                new SplittableRandom(i).ints(12, 5, 300).toArray())).toList();
        try (PeftModel model = PeftModel.of(base, config);
                TrainingPasses passes = TrainingPasses.of(model);
                Updates optimizer = new Updates(model.engine(), model.trainableParameters(), AdamW.DEFAULT, 0)) {
            for (int step = 0; step < 6; step++) {
                passes.training(PackedBatch.of(examples), step, pass -> pass.backward(88));
                optimizer.step(1e-2, 1);
            }
            return model.trainableParameters().stream().map(p -> io.peft4j.core.array.Arrays.toFloats(p.value()))
                    .toList();
        }
    }

    static String text(Completion completion) {
        return Arrays.toString(completion.ids());
    }

    /** Whether the most likely token is far ahead of the next one at each place of the answer. */
    private static boolean isClear(LanguageModel model, int[] ids) {
        int[] answer = model.generate(List.of(Prompt.tokens(ids)), OPTIONS).get(0).ids();
        int[] all = IntStream.concat(IntStream.of(ids), IntStream.of(answer)).toArray();
        PackedBatch batch = PackedBatch.of(List.of(TokenSequence.unsupervised(all)));
        int vocabulary = model.network().description().vocabularySize();
        try (ModelLease lease = model.lease();
                Workspace workspace = lease.engine().workspace(Priority.WORK);
                Pass pass = Pass.evaluation(lease, workspace, batch)) {
            float[] logits = pass.logits(IntStream.range(ids.length - 1, all.length - 1).toArray());
            return IntStream.range(0, answer.length).allMatch(i -> {
                float[] row = Arrays.copyOfRange(logits, i * vocabulary, (i + 1) * vocabulary);
                Arrays.sort(row);
                return row[vocabulary - 1] - row[vocabulary - 2] > CLEAR;
            });
        }
    }
}
