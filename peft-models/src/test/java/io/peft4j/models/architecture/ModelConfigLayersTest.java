package io.peft4j.models.architecture;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ModelConfigLayersTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    @ParameterizedTest
    @CsvSource(delimiter = ';', value = {
        "{'model_type':'gpt2','n_layer':3}; {'model_type':'gpt2','n_layer':4}",
        "{'num_hidden_layers':3,'n_layer':9}; {'num_hidden_layers':4,'n_layer':9}",
        "{'num_hidden_layers':3,'layer_types':['a','b','c']};"
                + "{'num_hidden_layers':4,'layer_types':['a','c','b','b']}",
        "{'num_hidden_layers':3,'no_rope_layers':[1,1]}; {'num_hidden_layers':4,'no_rope_layers':[1,1]}"
    })
    void repeatedLayersAreCountedUnderTheFamilysKeyWithTheirOwnKinds(String before, String after)
            throws JsonProcessingException {
        ModelConfig config = new ModelConfig(Path.of("config.json"), JSON.readTree(before.replace('\'', '"')));
        assertEquals(JSON.readTree(after.replace('\'', '"')), config.withLayers(List.of(0, 2, 1, 1)).values());
    }
}
