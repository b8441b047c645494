package io.peft4j.parity;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.methods.FullConfig;
import io.peft4j.models.BaseModel;
import io.peft4j.models.ModelOptions;
import io.peft4j.models.export.ModelExport;
import io.peft4j.models.hub.ModelLocator;
import io.peft4j.train.StepMetrics;
import io.peft4j.train.Trainer;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Full fine-tuning ends as an ordinary model. */
class FullTuningTest {
    @ParameterizedTest
    @ValueSource(strings = {"tiny-llama", "tiny-llama-untied"})
    void aFullyTunedModelIsSavedAsAModelFolder(String name, @TempDir Path folder) {
        List<TokenSequence> examples = Fixtures.stream(Fixtures.json("training/examples.json").get("examples"))
                .map(Fixtures::supervised).toList();
        List<TokenSequence> texts = Fixtures.texts(name);
        double[] tuned;
        BaseModel base = KernelsUnderTest.sharedBest(name);
        try (PeftModel model = PeftModel.of(base, FullConfig.builder().build())) {
            assertEquals(base.network().description().parameters(), model.trainableParameterCount());
            List<StepMetrics> steps = Trainer.builder(model).epochs(6).batchSize(4).learningRate(3e-3).build()
                    .train(examples).steps();
            assertTrue(steps.get(steps.size() - 1).trainLoss() < 0.8 * steps.get(0).trainLoss(), "it learns");
            tuned = Measure.oneByOne(model, texts);
            assertFalse(ModelExport.of(model).toFolder(folder.resolve("model")).untied());
        }
        assertEquals(name.equals("tiny-llama"),
                Fixtures.json(folder.resolve("model/config.json")).get("tie_word_embeddings").asBoolean());
        try (BaseModel saved = BaseModel.load(ModelLocator.fromEnvironment().locate(folder.resolve("model").toString()),
                ModelOptions.defaults().withPrecision(ModelOptions.Precision.F32))) {
            Measure.assertClose(tuned, Measure.oneByOne(saved, texts), name);
        }
    }
}
