package io.peft4j.parity;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.peft4j.core.model.Task;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.task.TextClassifier;
import io.peft4j.core.task.TextEmbedder;
import io.peft4j.lora.LoraConfig;
import io.peft4j.models.BaseModel;
import io.peft4j.models.ModelOptions;
import io.peft4j.models.export.ModelExport;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Models with a head, merged into a folder of Hugging Face, are what they were with their adapter. */
class HeadExportTest {
    private static final ModelOptions F32 = ModelOptions.defaults().withPrecision(ModelOptions.Precision.F32);

    @TempDir
    Path folder;

    @Test
    void aMergedClassifierIsOneByItselfWithTheNamesOfItsLabels() {
        Path target = folder.resolve("merged");
        Task task = Task.multiLabel("x", "y");
        float[] before;
        try (BaseModel base = BaseModel.load(Fixtures.encoder("bert-question").toString(), F32.withTask(task));
                PeftModel model = base.withAdapter(LoraConfig.builder().rank(2).build())) {
            before = new TextClassifier(model).logits(List.of("charged twice")).get(0);
            ModelExport.of(model).toFolder(target);
        }
        try (BaseModel merged = BaseModel.load(target.toString(), F32)) {
            assertEquals(task, merged.network().task());
            assertArrayEquals(before, new TextClassifier(merged).logits(List.of("charged twice")).get(0),
                    1e-5f);
        }
    }

    @ParameterizedTest
    @CsvSource({"mean-normalized, 16", "gemma-dense, 40"})
    void aMergedEmbedderIsAFolderOfSentenceTransformers(String name, int longest) {
        Path source = Fixtures.FOLDER.resolve("sentences/" + name);
        Path target = folder.resolve("merged");
        float[] before;
        try (BaseModel base = BaseModel.load(source.toString(), F32);
                PeftModel model = base.withAdapter(source.resolve("adapter"))) {
            before = new TextEmbedder(model).embed("charged twice");
            ModelExport.of(model).toFolder(target);
        }
        try (BaseModel merged = BaseModel.load(target.toString(), F32)) {
            assertEquals(longest, merged.network().description().maxPositions());
            assertArrayEquals(before, new TextEmbedder(merged).embed("charged twice"), 1e-5f);
        }
    }
}
