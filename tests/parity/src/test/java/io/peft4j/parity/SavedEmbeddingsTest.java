package io.peft4j.parity;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.peft.config.TokenIndices;
import io.peft4j.core.peft.file.AdapterCheckpoint;
import io.peft4j.core.peft.file.SavedEmbeddings;
import io.peft4j.core.safetensors.SafetensorsFile;
import io.peft4j.lora.LoraConfig;
import io.peft4j.lora.LoraConfigBuilder;
import io.peft4j.models.BaseModel;
import io.peft4j.models.ModelOptions;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What is stored of embedding and output layer has the names that Hugging Face PEFT gives it. */
class SavedEmbeddingsTest {
    private static final String MODEL = "tiny-llama-untied";
    private static final Map<String, List<String>> TARGETS = Map.of("neither", List.of("q_proj"), "embedding",
            List.of("embed_tokens", "q_proj"), "both", List.of("embed_tokens", "lm_head", "q_proj"), "rows",
            List.of("q_proj"));

    /** More than the checkpoint has rows to spare. */
    private static final String[] NEW_TOKENS = IntStream.range(0, 100).mapToObj(i -> "<new" + i + ">")
            .toArray(String[]::new);

    @TempDir
    Path folder;

    static Stream<JsonNode> rows() {
        return Fixtures.stream(Fixtures.json("embedding_names.json"));
    }

    @ParameterizedTest
    @MethodSource("rows")
    void namesAreThoseOfPeftAndTheAdapterLoadsAgain(JsonNode row) {
        ModelOptions options = ModelOptions.defaults().withPrecision(ModelOptions.Precision.F32).withThreads(1);
        try (BaseModel base = BaseModel.load(Fixtures.FOLDER.resolve(MODEL).toString(), row.has("new_tokens")
                ? options.withNewTokens(NEW_TOKENS) : options)) {
            LoraConfigBuilder config = LoraConfig.builder().rank(2).targetModules(TARGETS.get(row.get("case")
                    .asText()).toArray(String[]::new));
            if (row.get("case").asText().equals("rows")) {
                config.trainableTokens(TokenIndices.of(3, 5));
            }
            try (PeftModel model = base.withAdapter(config.build())) {
                model.saveAdapter(folder, SavedEmbeddings.valueOf(row.get("mode").asText()));
            }
            Set<String> wanted = Fixtures.stream(row.get("names")).map(JsonNode::asText)
                    .collect(Collectors.toCollection(TreeSet::new));
            assertEquals(wanted, names());
            try (PeftModel model = base.withAdapter(folder)) {
                model.saveAdapter(folder);
            }
            assertEquals(wanted, names());
        }
    }

    private Set<String> names() {
        try (SafetensorsFile file = SafetensorsFile.open(folder.resolve(AdapterCheckpoint.WEIGHTS_FILE))) {
            return file.names().stream().filter(name -> name.contains("embed_tokens") || name.contains("lm_head"))
                    .collect(Collectors.toCollection(TreeSet::new));
        }
    }
}
