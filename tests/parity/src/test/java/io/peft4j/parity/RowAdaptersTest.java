package io.peft4j.parity;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.Completion;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.model.Pass;
import io.peft4j.core.model.Prompt;
import io.peft4j.core.nn.PackedBatch;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.models.BaseModel;
import io.peft4j.train.TrainingPasses;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Rows of one batch with different adapters get what each gets alone, on every implementation of the kernels. */
class RowAdaptersTest {
    private static final List<String> ADAPTERS = List.of("lora", "exclude", "embedding", PeftModel.BASE);

    static Stream<KernelsUnderTest> kernels() {
        return KernelsUnderTest.all().stream();
    }

    private static PeftModel model(BaseModel base) {
        PeftModel model = new PeftModel(base);
        ADAPTERS.stream().filter(name -> !name.equals(PeftModel.BASE))
                .forEach(name -> model.loadAdapter(name, Fixtures.adapter(name)));
        return model;
    }

    @ParameterizedTest
    @MethodSource("kernels")
    void likelihoodsInOneBatchMatchHuggingFace(KernelsUnderTest kernels) {
        List<TokenSequence> texts = Fixtures.texts("tiny-llama");
        BaseModel base = kernels.shared("tiny-llama");
        try (PeftModel model = model(base);
                TrainingPasses passes = TrainingPasses.of(model)) {
            model.activateByRow(ADAPTERS.toArray(String[]::new));
            List<TokenSequence> mixed = new ArrayList<>();
            double[] expected = new double[texts.size()];
            for (int i = 0; i < texts.size(); i++) {
                String adapter = ADAPTERS.get(i % ADAPTERS.size());
                mixed.add(texts.get(i).inGroup(i % ADAPTERS.size()));
                expected[i] = adapter.equals(PeftModel.BASE)
                        ? Fixtures.json("tiny-llama/expected.json").get("texts").get(i).get("nll").asDouble()
                        : Fixtures.json(Fixtures.adapter(adapter).resolve("expected.json")).get("nll").get(i)
                                .asDouble();
            }
            Measure.assertClose(expected,
                    passes.evaluation(PackedBatch.of(mixed), Pass::sequenceNegativeLogLikelihoods), "mixed batch");
            Measure.assertClose(expected,
                    passes.evaluation(PackedBatch.sharingPrefixes(mixed), Pass::sequenceNegativeLogLikelihoods),
                    "mixed batch with shared beginnings");
        }
    }

    @Test
    void promptsAreAnsweredByTheirOwnAdapters() {
        GenerationOptions options = GenerationOptions.defaults().withMaxNewTokens(12);
        BaseModel base = KernelsUnderTest.sharedNaive("tiny-llama");
        try (PeftModel model = model(base)) {
            List<Prompt> prompts = new ArrayList<>();
            List<String> names = new ArrayList<>();
            for (int i = 0; i < 9; i++) {
                int[] ids = Fixtures.texts("tiny-llama").get(i % 2).ids();
                prompts.add(Prompt.tokens(Arrays.copyOf(ids, 5 + i % 3)));
                names.add(ADAPTERS.get(i % ADAPTERS.size()));
            }
            List<Completion> together = model.generate(prompts, names, options);
            for (int i = 0; i < prompts.size(); i++) {
                model.activate(names.get(i).equals(PeftModel.BASE) ? new String[0] : new String[] {names.get(i)});
                assertArrayEquals(model.generate(List.of(prompts.get(i)), options).get(0).ids(), together.get(i).ids(),
                        "prompt " + i + " with " + names.get(i));
            }
            List<Prompt> same = List.of(prompts.get(0), prompts.get(0), prompts.get(0));
            HashSet<String> answers = new HashSet<>();
            model.generate(same, List.of("lora", "exclude", PeftModel.BASE), options)
                    .forEach(answer -> answers.add(Arrays.toString(answer.ids())));
            assertNotEquals(1, answers.size());
        }
    }

    @Test
    void unmixableAdaptersAreRefused() {
        BaseModel base = KernelsUnderTest.sharedNaive("tiny-llama");
        try (PeftModel model = model(base)) {
            model.loadAdapter("head", Fixtures.adapter("modules-to-save"));
            String message = assertThrows(ConfigurationException.class, () -> model.byRow("lora", "head"))
                    .getMessage();
            assertTrue(message.contains("adapter 'head' cannot share a batch with others"), message);
            assertThrows(ConfigurationException.class, () -> model.byRow("nobody"));
            model.activate("lora");
            model.merge();
            assertThrows(ConfigurationException.class, () -> model.activateByRow("lora", PeftModel.BASE));
            model.unmerge();
            model.activateByRow("lora", PeftModel.BASE);
            assertEquals(List.of("lora"), model.activeAdapters());
            TokenSequence third = Fixtures.texts("tiny-llama").get(0).inGroup(2);
            try (TrainingPasses passes = TrainingPasses.of(model)) {
                assertThrows(ConfigurationException.class,
                        () -> passes.evaluation(PackedBatch.of(List.of(third)), Pass::sequenceNegativeLogLikelihoods));
            }
        }
    }
}
