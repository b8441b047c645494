package io.peft4j.parity;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.FileFormatException;
import io.peft4j.core.io.IfExists;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.models.BaseModel;
import io.peft4j.models.export.AdapterExport;
import io.peft4j.models.export.AdapterImport;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Adapters for ONNX Runtime: read as it wrote them, written so that the same comes back, and refused if damaged. */
class OnnxAdapterTest {
    private static final Path FILE = Fixtures.FOLDER.resolve("onnx").resolve("lora.onnx_adapter");

    private final BaseModel base = KernelsUnderTest.sharedNaive("tiny-llama");

    @TempDir
    private Path folder;

    private void assertSays(String adapter, Path file) {
        Path back = AdapterImport.from(base, file, folder.resolve("back"), IfExists.FAIL);
        try (PeftModel adapted = PeftModel.load(base, back)) {
            Measure.assertClose(Fixtures.doubles(Fixtures.json(Fixtures.adapter(adapter).resolve("expected.json"))
                    .get("nll_f64")), Measure.oneByOne(adapted, Fixtures.texts("tiny-llama")), adapter);
        }
    }

    @Test
    void anAdapterOfOnnxRuntimeSaysWhatItSaidInPeft() {
        assertSays("lora", FILE);
    }

    @ParameterizedTest
    @ValueSource(strings = {"lora", "patterns"})
    void whatIsWrittenComesBack(String name) {
        Path file = folder.resolve("a.onnx_adapter");
        try (PeftModel adapted = PeftModel.load(base, Fixtures.adapter(name))) {
            AdapterExport.toOnnx(adapted, PeftModel.DEFAULT_ADAPTER, file);
        }
        assertSays(name, file);
    }

    @Test
    void whatDoesNotFitIsRefused() {
        BaseModel other = KernelsUnderTest.sharedNaive("tiny-llama-untied");
        String shape = assertThrows(FileFormatException.class, () -> AdapterImport.from(other, FILE,
                folder.resolve("b"), IfExists.FAIL)).getMessage();
        assertTrue(shape.contains("it was made for another model"), shape);
        for (String name : new String[] {"dora", "embedding-slim"}) {
            try (PeftModel adapted = PeftModel.load(base, Fixtures.adapter(name))) {
                String message = assertThrows(ConfigurationException.class,
                        () -> AdapterExport.toOnnx(adapted, PeftModel.DEFAULT_ADAPTER, folder.resolve("c")))
                        .getMessage();
                assertTrue(message.contains("ONNX Runtime cannot apply this adapter"), message);
            }
        }
        assertArrayEquals(new String[0], folder.toFile().list());
    }
}
