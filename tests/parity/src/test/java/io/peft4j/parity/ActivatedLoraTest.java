package io.peft4j.parity;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.peft4j.core.array.Arrays;
import io.peft4j.core.autograd.Parameter;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.Completion;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.model.ModelLease;
import io.peft4j.core.model.Prompt;
import io.peft4j.core.nn.PackedBatch;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.lora.LoraConfig;
import io.peft4j.models.BaseModel;
import io.peft4j.models.generation.TextGenerator;
import io.peft4j.train.TrainingPasses;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Adapters that wait for an invocation: in batches of all kinds, in training, and with a cache. */
class ActivatedLoraTest {
    private static final String MODEL = "tiny-llama";
    private static final GenerationOptions TWELVE = GenerationOptions.defaults().withMaxNewTokens(12);

    static List<KernelsUnderTest> kernels() {
        return KernelsUnderTest.all();
    }

    private static JsonNode expected(String adapter) {
        return Fixtures.json(Fixtures.adapter(adapter).resolve("expected.json"));
    }

    /** A generator that continues past end-of-turn tokens, as the reference did. */
    private static List<int[]> answers(LanguageModel model, List<Prompt> prompts) {
        try (ModelLease lease = model.lease()) {
            return new TextGenerator(model.tokenizer(), model.chatTemplate(), Set.of())
                    .generate(lease, prompts, TWELVE).stream().map(Completion::ids).toList();
        }
    }

    /** With a cache on both sides; what is generated invokes nothing, also where it holds the tokens. */
    @ParameterizedTest
    @CsvSource({"alora", "alora-bias"})
    void greedyAnswersMatchHuggingFace(String adapter) {
        JsonNode rows = expected(adapter).get("generation");
        List<Prompt> prompts = Fixtures.stream(rows).map(row -> Prompt.tokens(Fixtures.ids(row.get("input_ids"))))
                .map(Prompt.class::cast).toList();
        BaseModel base = KernelsUnderTest.sharedNaive(expected(adapter).get("model").asText());
        try (PeftModel model = PeftModel.load(base, Fixtures.adapter(adapter))) {
            List<int[]> together = answers(model, prompts);
            for (int i = 0; i < prompts.size(); i++) {
                int[] wanted = Fixtures.ids(rows.get(i).get("new_tokens"));
                assertArrayEquals(wanted, together.get(i), "in a batch, prompt " + i);
                assertArrayEquals(wanted, answers(model, List.of(prompts.get(i))).get(0), "prompt " + i);
                if (!rows.get(i).get("invoked").asBoolean()) {
                    assertArrayEquals(wanted, answers(base, List.of(prompts.get(i))).get(0));
                }
            }
        }
    }

    /**
     * Sequences that begin alike and are invoked at different places: in the common beginning, behind it, and not at
     * all. What they share is computed once where it is the same for all, and changes no number.
     */
    @ParameterizedTest
    @MethodSource("kernels")
    void sharedBeginningsChangeNothing(KernelsUnderTest kernels) {
        BaseModel base = kernels.shared(MODEL);
        try (PeftModel model = PeftModel.load(base, Fixtures.adapter("alora"))) {
            List<TokenSequence> sequences = new ArrayList<>(Fixtures.texts(MODEL));
            int[] invocation = model.adapter(PeftModel.DEFAULT_ADAPTER).invocation().stream().mapToInt(i -> i)
                    .toArray();
            int[] common = Fixtures.texts(MODEL).get(1).ids();
            int[] tail = {17, 40, 99, 21, 5};
            sequences.add(TokenSequence.allSupervised(joined(common, tail)));
            sequences.add(TokenSequence.allSupervised(joined(joined(common, tail), invocation, tail)));
            sequences.add(TokenSequence.allSupervised(joined(common, invocation)));
            Measure.assertClose(Measure.oneByOne(model, sequences),
                    Measure.together(model, PackedBatch.sharingPrefixes(sequences)), "shared beginnings");
            PackedBatch shared = PackedBatch.sharingPrefixes(sequences);
            try (ModelLease lease = model.lease()) {
                PackedBatch marked = lease.layers().prepare(shared);
                assertTrue(marked.rows() > shared.rows(), "some rows are computed in two ways");
                assertTrue(marked.rows() < lease.layers().prepare(PackedBatch.of(sequences)).rows(), "some are shared");
            }
        }
    }

    private static int[] joined(int[]... parts) {
        return java.util.Arrays.stream(parts).flatMapToInt(IntStream::of).toArray();
    }

    @ParameterizedTest
    @MethodSource("kernels")
    void gradientsDoNotDependOnThePacking(KernelsUnderTest kernels) {
        BaseModel base = kernels.shared(MODEL);
        try (PeftModel model = PeftModel.load(base, Fixtures.adapter("alora"))) {
            List<TokenSequence> texts = Fixtures.texts(MODEL);
            List<float[]> packed = gradients(model, PackedBatch.of(texts));
            List<float[]> shared = gradients(model, PackedBatch.sharingPrefixes(texts));
            for (int i = 0; i < packed.size(); i++) {
                float largest = 0;
                for (float value : packed.get(i)) {
                    largest = Math.max(largest, Math.abs(value));
                }
                assertTrue(largest > 0);
                // The same sums in another order: as for kernels, 1e-5 of the largest value, through three layers.
                assertArrayEquals(packed.get(i), shared.get(i), 5e-5f * largest);
            }
        }
    }

    private static List<float[]> gradients(PeftModel model, PackedBatch batch) {
        List<Parameter> parameters = model.trainableParameters();
        parameters.forEach(Parameter::clearGradient);
        try (TrainingPasses passes = TrainingPasses.of(model)) {
            passes.training(batch, 0, pass -> pass.backward(batch.targets().count()));
        }
        return parameters.stream().map(parameter -> Arrays.toFloats(parameter.gradient())).toList();
    }

    @ParameterizedTest
    @MethodSource("kernels")
    void rowsOfABatchUseTheirOwnInvocations(KernelsUnderTest kernels) {
        List<TokenSequence> texts = Fixtures.texts(MODEL);
        String[] adapters = {"lora", "alora", PeftModel.BASE};
        BaseModel base = kernels.shared(MODEL);
        try (PeftModel model = new PeftModel(base)) {
            model.loadAdapter("lora", Fixtures.adapter("lora"));
            model.loadAdapter("alora", Fixtures.adapter("alora"));
            model.activateByRow(adapters);
            List<TokenSequence> mixed = new ArrayList<>();
            double[] wanted = new double[texts.size()];
            List<Prompt> prompts = new ArrayList<>();
            List<String> names = new ArrayList<>();
            for (int i = 0; i < wanted.length; i++) {
                int group = i % adapters.length;
                mixed.add(texts.get(i).inGroup(group));
                wanted[i] = adapters[group].equals(PeftModel.BASE)
                        ? Fixtures.json(MODEL + "/expected.json").get("texts").get(i).get("nll_f64").asDouble()
                        : expected(adapters[group]).get("nll_f64").get(i).asDouble();
                prompts.add(Prompt.tokens(texts.get(1).ids()));
                names.add(adapters[group]);
            }
            Measure.assertClose(wanted, Measure.together(model, PackedBatch.of(mixed)), "mixed batch");
            List<Completion> together = model.generate(prompts, names, TWELVE);
            for (int i = 0; i < adapters.length; i++) {
                model.activate(adapters[i].equals(PeftModel.BASE) ? new String[0] : new String[] {adapters[i]});
                assertArrayEquals(model.generate(prompts.subList(i, i + 1), TWELVE).get(0).ids(),
                        together.get(i).ids(), names.get(i));
            }
        }
    }

    @Test
    void adaptersWithDifferentInvocationsAreNotActiveTogether() {
        LoraConfig config = LoraConfig.builder().rank(2).build();
        BaseModel base = KernelsUnderTest.sharedNaive(MODEL);
        try (PeftModel model = new PeftModel(base)) {
            model.addAdapter("one", config.toBuilder().invocationTokens(1, 2).build());
            model.addAdapter("other", config.toBuilder().invocationTokens(3).build());
            model.addAdapter("same", config.toBuilder().invocationTokens(1, 2).build());
            String message = assertThrows(ConfigurationException.class, () -> model.activate("one", "other"))
                    .getMessage();
            assertTrue(message.contains("'one' and 'other' cannot be active together"), message);
            assertEquals(List.of("one"), model.activeAdapters());
            model.activate("one", "same");
            assertEquals(List.of("one", "same"), model.activeAdapters());
        }
    }
}
