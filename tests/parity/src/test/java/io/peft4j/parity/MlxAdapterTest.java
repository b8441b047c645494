package io.peft4j.parity;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.FileFormatException;
import io.peft4j.core.io.IfExists;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.models.BaseModel;
import io.peft4j.models.export.AdapterExport;
import io.peft4j.models.export.AdapterImport;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Adapters of mlx-lm: read as it wrote them, written so that the same comes back, refused where they do not fit. */
class MlxAdapterTest {
    private static final Path MLX = Fixtures.FOLDER.resolve("mlx");

    private final BaseModel base = KernelsUnderTest.sharedNaive("tiny-llama");
    private final List<TokenSequence> texts = Fixtures.texts("tiny-llama");

    @TempDir
    private Path folder;

    @Test
    void anAdapterOfMlxSaysWhatItSaidThere() {
        JsonNode expected = Fixtures.json("mlx/expected.json");
        Path adapter = folder.resolve("adapter");
        AdapterImport.from(base, MLX, adapter, IfExists.FAIL);
        try (PeftModel adapted = PeftModel.load(base, adapter)) {
            Measure.assertClose(Fixtures.doubles(expected.get("nll")), Measure.oneByOne(adapted, texts), "texts");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"lora", "patterns"})
    void whatIsWrittenComesBack(String name) {
        Path mlx = folder.resolve("mlx");
        Path back = folder.resolve("back");
        double[] before;
        try (PeftModel adapted = PeftModel.load(base, Fixtures.adapter(name))) {
            before = Measure.oneByOne(adapted, texts);
            AdapterExport.toMlx(adapted, PeftModel.DEFAULT_ADAPTER, mlx);
        }
        AdapterImport.from(base, mlx, back, IfExists.FAIL);
        try (PeftModel again = PeftModel.load(base, back)) {
            Measure.assertClose(before, Measure.oneByOne(again, texts), "texts");
        }
        assertEquals("lora", read(mlx).get("fine_tune_type").asText());
        assertEquals(0, read(back).get("rank_pattern").size(), "one rank for all");
    }

    private static JsonNode read(Path folder) {
        return Fixtures.json(folder.resolve("adapter_config.json"));
    }

    @Test
    void whatDoesNotFitIsRefused() throws IOException {
        Path full = folder.resolve("full");
        Files.createDirectories(full);
        Files.writeString(full.resolve("adapter_config.json"), "{\"fine_tune_type\": \"dora\"}");
        String type = assertThrows(FileFormatException.class,
                () -> AdapterImport.from(base, full, folder.resolve("a"), IfExists.FAIL)).getMessage();
        assertTrue(type.contains("fine_tune_type is dora"), type);
        BaseModel other = KernelsUnderTest.sharedNaive("tiny-llama-untied");
        String shape = assertThrows(FileFormatException.class, () -> AdapterImport.from(other, MLX,
                folder.resolve("b"), IfExists.FAIL)).getMessage();
        assertTrue(shape.contains("it was made for another model"), shape);
        try (PeftModel adapted = PeftModel.load(base, Fixtures.method("hra"))) {
            String message = assertThrows(ConfigurationException.class,
                    () -> AdapterExport.toMlx(adapted, PeftModel.DEFAULT_ADAPTER, folder.resolve("c"))).getMessage();
            assertTrue(message.contains("convert the adapter to LoRA"), message);
        }
        assertArrayEquals(new String[] {"full"}, folder.toFile().list());
    }
}
