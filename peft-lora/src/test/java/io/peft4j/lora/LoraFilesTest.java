package io.peft4j.lora;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.error.AdapterMismatchException;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.FileFormatException;
import io.peft4j.core.error.PeftException;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.peft.TinyModel;
import io.peft4j.core.peft.TinyNetwork;
import io.peft4j.core.peft.file.AdapterCheckpoint;
import io.peft4j.core.peft.method.PeftMethods;
import io.peft4j.core.safetensors.DType;
import io.peft4j.core.safetensors.SafetensorsFile;
import io.peft4j.core.safetensors.SafetensorsWriter;
import io.peft4j.core.safetensors.TensorData;
import io.peft4j.lora.init.LoraInit;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** LoRA's files: what fits, what does not, and what the reports say. */
class LoraFilesTest {
    private static final TinyModel MODEL = new TinyModel(new TinyNetwork(1, false, false));
    private static final String BASE_COPY = "base_model.model.model.embed_tokens.base_layer.weight";

    @TempDir
    private Path folder;
    private Map<String, TensorData> tensors;

    @AfterAll
    static void close() {
        MODEL.close();
    }

    @BeforeEach
    void saveAnAdapterOnTheEmbedding() {
        try (PeftModel model = PeftModel.of(MODEL, LoraConfig.builder().rank(2)
                .targetModules("embed_tokens", "q_proj").initialization(LoraInit.RANDOM).build())) {
            model.saveAdapter(folder);
        }
        tensors = new LinkedHashMap<>();
        try (SafetensorsFile file = SafetensorsFile.open(weights())) {
            file.names().forEach(name -> tensors.put(name, TensorData.f32(file.shape(name), file.readFloats(name))));
        }
    }

    private Path weights() {
        return folder.resolve(AdapterCheckpoint.WEIGHTS_FILE);
    }

    private String refused() {
        return assertThrows(AdapterMismatchException.class, () -> PeftModel.load(MODEL, folder)).getMessage();
    }

    private void storeBaseCopy(double factor) {
        float[] values = Arrays.toFloats(MODEL.network().weights().get(0));
        for (int i = 0; i < values.length; i++) {
            values[i] *= (float) (i % 2 == 0 ? factor : 1 / factor);
        }
        tensors.put(BASE_COPY, TensorData.f32(new long[] {TinyNetwork.VOCABULARY, TinyNetwork.HIDDEN}, values));
        SafetensorsWriter.write(weights(), tensors);
    }

    @Test
    void aSaveThatFailsLeavesAllFilesAsTheyWere() throws IOException {
        byte[] before = Files.readAllBytes(weights());
        Path config = folder.resolve(AdapterCheckpoint.CONFIG_FILE);
        Files.delete(config);
        Files.createDirectory(config);
        try (PeftModel model = PeftModel.of(MODEL, LoraConfig.builder().rank(4).targetModules("q_proj").build())) {
            assertThrows(UncheckedIOException.class, () -> model.saveAdapter(folder));
        }
        assertArrayEquals(before, Files.readAllBytes(weights()));
    }

    @Test
    void aCopyOfTheBaseIsAcceptedAndWrittenAgain() throws IOException {
        storeBaseCopy(1);
        byte[] before = Files.readAllBytes(weights());
        try (PeftModel model = PeftModel.load(MODEL, folder)) {
            model.saveAdapter(folder.resolve("again"));
        }
        assertArrayEquals(before, Files.readAllBytes(folder.resolve("again").resolve(AdapterCheckpoint.WEIGHTS_FILE)));
    }

    @Test
    void aRoundedCopyOfTheBaseIsAcceptedAndNotWritten() {
        storeBaseCopy(1.002);
        try (PeftModel model = PeftModel.load(MODEL, folder)) {
            model.saveAdapter(folder.resolve("again"));
        }
        try (SafetensorsFile file = SafetensorsFile.open(folder.resolve("again/" + AdapterCheckpoint.WEIGHTS_FILE))) {
            assertFalse(file.names().contains(BASE_COPY));
        }
    }

    @Test
    void aCopyOfAnotherBaseIsRefused() {
        storeBaseCopy(1.1);
        String message = refused();
        assertTrue(message.contains("made for another base model (1)") && message.contains(BASE_COPY), message);
        tensors.put(BASE_COPY, TensorData.f32(new long[] {2}, new float[2]));
        SafetensorsWriter.write(weights(), tensors);
        assertTrue(refused().contains("has shape [2], the model's is [13, 8]"));
    }

    @Test
    void anAdapterForALargerModelIsExplained() throws IOException {
        for (Map.Entry<String, TensorData> tensor : tensors.entrySet()) {
            if (tensor.getKey().endsWith("lora_A.weight")) {
                tensor.setValue(TensorData.f32(new long[] {2, 16}, new float[32]));
            }
        }
        SafetensorsWriter.write(weights(), tensors);
        Path config = folder.resolve(AdapterCheckpoint.CONFIG_FILE);
        String large = "large".repeat(100);
        Files.writeString(config, Files.readString(config).replace("\"tiny\"", '"' + large + '"'));
        String message = refused();
        String sentence = message.lines().findFirst().orElseThrow();
        assertTrue(sentence.startsWith("for another base model: the adapter was made for 'large"), message);
        assertEquals(300, sentence.length());
        assertTrue(message.contains("wrong shape (2)") && message.contains("is [2, 16], must be [2, 8]"), message);
        assertTrue(message.contains("names the base '" + large + "'"), message);
    }

    @Test
    void otherTypesAreReadAndNanIsNot() {
        String key = "base_model.model.model.layers.0.self_attn.q_proj.lora_B.weight";
        ByteBuffer ones = ByteBuffer.allocate(2 * 2 * TinyNetwork.HIDDEN).order(ByteOrder.LITTLE_ENDIAN);
        while (ones.hasRemaining()) {
            ones.putShort((short) 0x3f80);
        }
        tensors.put(key, TensorData.of(DType.BF16, new long[] {TinyNetwork.HIDDEN, 2}, ones.flip()));
        SafetensorsWriter.write(weights(), tensors);
        try (PeftModel model = PeftModel.load(MODEL, folder)) {
            float[] values = Arrays.toFloats(model.trainableParameters().stream()
                    .filter(parameter -> parameter.name().equals(key)).findFirst().orElseThrow().value());
            for (float value : values) {
                assertEquals(1f, value);
            }
        }
        float[] broken = new float[2 * TinyNetwork.HIDDEN];
        broken[3] = Float.NaN;
        tensors.put(key, TensorData.f32(new long[] {TinyNetwork.HIDDEN, 2}, broken));
        SafetensorsWriter.write(weights(), tensors);
        assertTrue(refused().contains("not finite (1)"));
        tensors.put(key, TensorData.of(DType.I64, new long[] {TinyNetwork.HIDDEN, 2},
                ByteBuffer.allocate(8 * 2 * TinyNetwork.HIDDEN)));
        SafetensorsWriter.write(weights(), tensors);
        assertTrue(refused().contains("holds I64"));
    }

    /** A rank that only the configuration claims must not be allocated: two such matrices would be 100 GB. */
    @Test
    void aHostileRankIsNotAllocated() throws IOException {
        Path config = folder.resolve(AdapterCheckpoint.CONFIG_FILE);
        Files.writeString(config, Files.readString(config).replace("\"r\": 2,", "\"r\": 65536,"));
        assertTrue(refused().contains("must be [65536, 8]"));
        Files.writeString(config, Files.readString(config).replace("\"r\": 65536,", "\"r\": 2147483647,"));
        assertMessage(ConfigurationException.class, folder, "from 1 to 65536");
    }

    @Test
    void nonAdapterFoldersAreExplained(@TempDir Path other) throws IOException {
        assertMessage(FileFormatException.class, other.resolve("absent"), "is not a folder");
        assertMessage(FileFormatException.class, other, "it has no adapter_config.json");
        Path inner = Files.createDirectory(other.resolve("french"));
        Files.copy(folder.resolve(AdapterCheckpoint.CONFIG_FILE), inner.resolve(AdapterCheckpoint.CONFIG_FILE));
        assertMessage(FileFormatException.class, other, "did you mean one of its subfolders [french]?");
        Files.delete(inner.resolve(AdapterCheckpoint.CONFIG_FILE));
        Files.copy(folder.resolve(AdapterCheckpoint.CONFIG_FILE), other.resolve(AdapterCheckpoint.CONFIG_FILE));
        assertMessage(FileFormatException.class, other, "has adapter_config.json and no adapter_model.safetensors");
        Files.write(other.resolve("adapter_model.bin"), new byte[3]);
        assertMessage(FileFormatException.class, other, "pickle");
        Files.writeString(other.resolve(AdapterCheckpoint.CONFIG_FILE), "{\"peft_type\": \"IA5\"}");
        assertMessage(ConfigurationException.class, other, "'IA5' is unknown; available are [");
    }

    @Test
    void aMethodThatIsASettingOfAnotherIsNamedAsThat() {
        String dora = assertThrows(ConfigurationException.class, () -> PeftMethods.byName("DoRA")).getMessage();
        assertTrue(dora.endsWith("; it is 'lora' or 'adalora' or 'lora-mixture' with the setting use_dora=true"), dora);
        String stable = assertThrows(ConfigurationException.class, () -> PeftMethods.byName("rslora")).getMessage();
        assertTrue(
                stable.contains("; it is 'lora' or 'adalora'") && stable.endsWith(" with the setting use_rslora=true"),
                stable);
        String typo = assertThrows(ConfigurationException.class, () -> PeftMethods.byName("lroa")).getMessage();
        assertTrue(typo.endsWith("; did you mean 'lora'?"), typo);
    }

    private static void assertMessage(Class<? extends PeftException> type, Path path, String part) {
        String message = assertThrows(type, () -> PeftModel.load(MODEL, path)).getMessage();
        assertTrue(message.contains(part), message);
    }

    @Test
    void savingWithoutAnAdapterIsRefused() {
        assertThrows(ConfigurationException.class, () -> new PeftModel(MODEL).saveAdapter(folder));
    }
}
