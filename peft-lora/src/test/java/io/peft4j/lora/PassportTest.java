package io.peft4j.lora;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.error.AdapterMismatchException;
import io.peft4j.core.error.FileFormatException;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.peft.TinyModel;
import io.peft4j.core.peft.TinyNetwork;
import io.peft4j.core.peft.file.AdapterProvenance;
import io.peft4j.lora.init.LoraInit;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.ndarray.INDArray;

/** What an adapter was made for is compared when it is loaded. */
class PassportTest {
    private static final LoraConfig CONFIG = LoraConfig.builder().rank(2).initialization(LoraInit.RANDOM)
            .targetModules("q_proj", "v_proj").build();
    private final TinyModel base = new TinyModel(new TinyNetwork(1, false, false));

    @TempDir
    private Path folder;

    @AfterEach
    void close() {
        base.close();
    }

    private void save() {
        try (PeftModel model = PeftModel.of(base, CONFIG)) {
            model.saveAdapter(folder);
        }
    }

    @Test
    void anAdapterIsSavedWithItsPassport() {
        save();
        AdapterProvenance passport = AdapterProvenance.read(folder).orElseThrow();
        assertEquals("tiny", passport.base());
        assertEquals("8", passport.description().get("hidden_size"));
        assertEquals(List.of(), passport.mismatches(base));
        try (PeftModel loaded = PeftModel.load(base, folder)) {
            assertEquals(List.of("default"), loaded.adapterNames());
        }
    }

    @Test
    void anotherBaseOfTheSameSizesIsRefused() {
        save();
        try (TinyModel other = new TinyModel(new TinyNetwork(2, false, false))) {
            String message = assertThrows(AdapterMismatchException.class, () -> PeftModel.load(other, folder))
                    .getMessage();
            String sentence = message.lines().findFirst().orElseThrow();
            assertTrue(sentence.startsWith("for another base model: ") && sentence.length() <= 300, message);
            assertTrue(message.contains("made for another base model"), message);
            assertTrue(message.contains("another model"), message);
        }
    }

    @Test
    void allPassportMismatchesAreInOneReport() throws IOException {
        save();
        Files.writeString(folder.resolve("adapter_config.json"), Files.readString(folder.resolve(
                "adapter_config.json")).replace("\"r\": 2", "\"r\": 3"));
        try (TinyModel other = new TinyModel(new TinyNetwork(2, false, true))) {
            String message = assertThrows(AdapterMismatchException.class, () -> PeftModel.load(other, folder))
                    .getMessage();
            assertTrue(message.contains("wrong shape"), message);
            assertTrue(message.contains("tie_word_embeddings false, this model true"), message);
        }
    }

    @Test
    void roundedBasesAreAcceptedAndQuantizedOnesReported() {
        save();
        AdapterProvenance passport = AdapterProvenance.read(folder).orElseThrow();
        try (TinyModel other = new TinyModel(new TinyNetwork(1, false, false))) {
            disturb(other, 1e-3);
            assertEquals(List.of(), passport.mismatches(other));
            disturb(other, 0.05);
            List<AdapterProvenance.Mismatch> found = passport.mismatches(other);
            assertEquals(1, found.size());
            assertTrue(!found.get(0).fatal() && found.get(0).explanation().contains("quantized"), found.toString());
        }
    }

    private static void disturb(TinyModel model, double size) {
        SplittableRandom random = new SplittableRandom(3);
        for (INDArray weight : model.network().weights()) {
            float[] values = Arrays.toFloats(weight);
            for (int i = 0; i < values.length; i++) {
                values[i] *= (float) (1 + size * random.nextGaussian());
            }
            Arrays.write(weight, 0, values, 0, values.length);
        }
    }

    @Test
    void passportTextsKeepTheirLikelihoods() {
        List<String> texts = List.of("1 5 3 5 2 9", "4 12 8 4");
        Map<String, String> training = Map.of("seed", "7", "data", "abc");
        try (PeftModel model = PeftModel.of(base, CONFIG)) {
            model.saveAdapter(folder);
            AdapterProvenance.of(model, model.adapter("default"), training, texts).write(folder);
            AdapterProvenance passport = AdapterProvenance.read(folder).orElseThrow();
            assertEquals(AdapterProvenance.of(model, model.adapter("default"), training, texts), passport);
            assertEquals(training, passport.training());
            assertEquals(List.of(), passport.goldenMismatches(model));
            model.activate();
            List<AdapterProvenance.Mismatch> found = passport.goldenMismatches(model);
            assertTrue(!found.isEmpty() && found.get(0).explanation().contains("negative log-likelihood"),
                    found.toString());
        }
    }

    @Test
    void aDamagedPassportIsAnErrorThatNamesIt() throws IOException {
        save();
        Files.writeString(folder.resolve(AdapterProvenance.FILE), "{\"format\": 1, \"base\": 3}");
        String message = assertThrows(FileFormatException.class, () -> PeftModel.load(base, folder)).getMessage();
        assertTrue(message.contains(AdapterProvenance.FILE), message);
    }
}
