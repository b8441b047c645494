package io.peft4j.models.tokenizer;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.peft4j.core.tool.ToolForm;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Short templates, each of which writes, or speaks of, calls in one form. */
class ToolTemplatesTest {
    static List<JsonNode> templates() throws IOException {
        ObjectMapper json = new ObjectMapper();
        List<JsonNode> all = new ArrayList<>();
        try (BufferedReader reader = new BufferedReader(new InputStreamReader(
                ToolTemplatesTest.class.getResourceAsStream("/tool-templates.jsonl"), StandardCharsets.UTF_8))) {
            for (String line = reader.readLine(); line != null; line = reader.readLine()) {
                all.add(json.readTree(line));
            }
        }
        return all;
    }

    @ParameterizedTest
    @MethodSource("templates")
    void theFormIsFoundByTheTemplateAlone(JsonNode row) {
        assertEquals(row.get("form").asText(), ToolForm.of(JinjaChatTemplate.of(row.get("template").asText()))
                .map(ToolForm::name).orElse("none"));
    }

    @Test
    void everyFormHasATemplate() throws IOException {
        Set<String> shown = templates().stream().map(row -> row.get("form").asText())
                .collect(Collectors.toCollection(TreeSet::new));
        shown.remove("none");
        assertEquals(ToolForm.all().stream().map(ToolForm::name).collect(Collectors.toCollection(TreeSet::new)), shown);
    }
}
