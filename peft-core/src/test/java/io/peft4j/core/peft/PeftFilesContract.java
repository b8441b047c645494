package io.peft4j.core.peft;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.autograd.Parameter;
import io.peft4j.core.error.AdapterMismatchException;
import io.peft4j.core.error.PeftException;
import io.peft4j.core.model.ModelLease;
import io.peft4j.core.peft.config.ConfigReader;
import io.peft4j.core.peft.config.PeftConfig;
import io.peft4j.core.peft.file.AdapterCheckpoint;
import io.peft4j.core.peft.file.AdapterProvenance;
import io.peft4j.core.peft.method.PeftMethods;
import io.peft4j.core.safetensors.SafetensorsFile;
import io.peft4j.core.safetensors.SafetensorsWriter;
import io.peft4j.core.safetensors.TensorData;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What every method promises about its files. Extend this class to test a method. */
public abstract class PeftFilesContract extends PeftRowsContract {
    private static final ObjectMapper JSON = new ObjectMapper();

    @ParameterizedTest
    @MethodSource("cases")
    void savedAdaptersLoadEqual(Case test, @TempDir Path folder) throws IOException {
        Path again = folder.resolve("again");
        try (PeftModel model = trained(test, 20)) {
            model.saveAdapter(folder);
            try (PeftModel loaded = PeftModel.load(base(test), folder)) {
                assertArrayEquals(logits(model), logits(loaded));
                assertEquals(model.trainableSummary(), loaded.trainableSummary());
                loaded.saveAdapter(again);
            }
        }
        for (String file : List.of(AdapterCheckpoint.CONFIG_FILE, AdapterCheckpoint.WEIGHTS_FILE, "tokenizer.json")) {
            assertArrayEquals(Files.readAllBytes(folder.resolve(file)), Files.readAllBytes(again.resolve(file)), file);
        }
        JsonNode config = JSON.readTree(folder.resolve(AdapterCheckpoint.CONFIG_FILE).toFile());
        assertEquals(test.config().peftType(), config.get("peft_type").textValue());
        assertEquals("tiny", config.get("base_model_name_or_path").textValue());
        assertTrue(config.get("inference_mode").booleanValue());
    }

    @ParameterizedTest
    @MethodSource("cases")
    void aSecondAdapterGoesToItsOwnFolder(Case test, @TempDir Path folder) throws IOException {
        Files.writeString(folder.resolve("notes.txt"), "mine");
        try (PeftModel model = trained(test, 21)) {
            addSecond(model, test, 22);
            model.saveAdapter(folder);
            model.activate("second");
            try (PeftModel loaded = PeftModel.load(base(test), folder.resolve("second"))) {
                assertArrayEquals(logits(model), logits(loaded));
                loaded.loadAdapter("first", folder);
                loaded.activate("first");
                model.activate(PeftModel.DEFAULT_ADAPTER);
                assertArrayEquals(logits(model), logits(loaded));
            }
        }
        assertEquals("mine", Files.readString(folder.resolve("notes.txt")));
    }

    @ParameterizedTest
    @MethodSource("cases")
    void aSwapExchangesTheAdapterForAllThatBeginsAfterIt(Case test, @TempDir Path folder) {
        float[] expected;
        try (PeftModel other = trained(test, 26)) {
            other.saveAdapter(folder);
            expected = logits(other);
        }
        try (PeftModel model = trained(test, 27)) {
            float[] before = logits(model);
            assertDiffer(expected, before);
            List<Parameter> parameters = model.trainableParameters();
            try (ModelLease begun = model.lease()) {
                model.hotSwap(PeftModel.DEFAULT_ADAPTER, folder);
                assertArrayEquals(expected, logits(model));
                assertArrayEquals(before, Passes.logits(begun, SEQUENCES));
                assertTrue(parameters.stream().noneMatch(p -> p.value().wasClosed()));
            }
            assertTrue(parameters.stream().allMatch(p -> p.value().wasClosed()));
            assertEquals(parameters.stream().map(Parameter::name).toList(),
                    model.trainableParameters().stream().map(Parameter::name).toList());
        }
    }

    @ParameterizedTest
    @MethodSource("cases")
    void unknownConfigurationKeysAreKept(Case test) throws IOException {
        ObjectNode json = (ObjectNode) JSON.readTree(test.config().toJson());
        json.put("from_the_future", 7).putNull("nothing").putObject("nested").putArray("list").add("x");
        PeftConfig read = PeftMethods.readConfig(ConfigReader.parse(json.toString(), "test"));
        assertEquals(json, JSON.readTree(read.toJson()));
        assertEquals(Set.of("from_the_future", "nothing", "nested"),
                difference(read.common().otherKeys().keySet(), test.config(), json));
        assertEquals(test.config(), PeftMethods.readConfig(test.config().toJson(), "test").withCommon(
                test.config().common()));
    }

    /** Keys that are kept, without those that a method keeps though it knows them. */
    private static Set<String> difference(Set<String> kept, PeftConfig config, JsonNode json) {
        Set<String> known = PeftMethods.readConfig(config.toJson(), "test").common().otherKeys().keySet();
        return Set.copyOf(kept.stream().filter(key -> !known.contains(key) && json.has(key)).toList());
    }

    @ParameterizedTest
    @MethodSource("cases")
    void allMismatchesAreInOneReport(Case test, @TempDir Path folder) {
        try (PeftModel model = trained(test, 23)) {
            model.saveAdapter(folder);
        }
        Path file = folder.resolve(AdapterCheckpoint.WEIGHTS_FILE);
        Map<String, TensorData> tensors = new LinkedHashMap<>();
        List<String> names;
        try (SafetensorsFile stored = SafetensorsFile.open(file)) {
            names = stored.names().stream().sorted().toList();
            names.forEach(name -> tensors.put(name, TensorData.f32(stored.shape(name), stored.readFloats(name))));
        }
        String lost = names.get(0);
        String reshaped = names.get(names.size() - 1);
        tensors.remove(lost);
        tensors.put(reshaped, TensorData.f32(new long[] {3, 1, 2}, new float[6]));
        tensors.put("base_model.model.model.layers.0.self_attn.k_proj.lora_C.weight",
                TensorData.f32(new long[] {1}, new float[1]));
        tensors.put("base_model.model.model.layers.1.self_attn.o_proj.weight",
                TensorData.f32(new long[] {2}, new float[2]));
        SafetensorsWriter.write(file, tensors);
        String message = assertThrows(AdapterMismatchException.class, () -> PeftModel.load(base(test), folder))
                .getMessage();
        if (!lost.equals(reshaped)) {
            assertTrue(message.contains("missing (1):\n    " + lost), message);
        }
        assertTrue(message.contains(reshaped + " is [3, 1, 2]"), message);
        assertTrue(message.contains("lora_C.weight"), message);
        assertTrue(message.contains("o_proj.weight"), message);
    }

    /** Each method has its own files; the fuzz of all readers mutates many more. */
    private static final int ROUNDS = 100;

    @ParameterizedTest
    @MethodSource("cases")
    @Tag("full")
    void hostileFilesGiveAPeftException(Case test, @TempDir Path folder) throws IOException {
        try (PeftModel model = trained(test, 24)) {
            model.saveAdapter(folder);
        }
        Path configFile = folder.resolve(AdapterCheckpoint.CONFIG_FILE);
        Path weightsFile = folder.resolve(AdapterCheckpoint.WEIGHTS_FILE);
        byte[] config = Files.readAllBytes(configFile);
        byte[] weights = Files.readAllBytes(weightsFile);
        Path passportFile = folder.resolve(AdapterProvenance.FILE);
        byte[] passport = Files.readAllBytes(passportFile);
        Mutations mutations = new Mutations(25 + config.length);
        int refused = 0;
        for (int round = 0; round < ROUNDS; round++) {
            boolean mutateConfig = round % 2 == 0;
            Files.write(configFile, mutateConfig ? mutations.json(config) : config);
            Files.write(weightsFile, mutateConfig ? weights : mutations.safetensors(weights));
            Files.write(passportFile, round % 8 == 0 ? mutations.json(passport) : passport);
            try (PeftModel loaded = PeftModel.load(base(test), folder)) {
                // Some changes are harmless: a bit of a value, a key that has no effect.
                assertFalse(loaded.trainableParameters().isEmpty());
            } catch (PeftException e) {
                assertFalse(e.getMessage().isBlank());
                refused++;
            }
        }
        assertTrue(refused > ROUNDS / 4, "of " + ROUNDS + " mutated files " + refused + " were refused");
    }
}
