package io.peft4j.serve.answer;

import com.fasterxml.jackson.databind.JsonNode;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.TextConstraint;
import io.peft4j.core.text.ChatTemplate;
import io.peft4j.core.tool.Tool;
import io.peft4j.core.tool.ToolForm;
import io.peft4j.models.generation.TextConstraints;
import io.peft4j.serve.http.ApiException;
import io.peft4j.serve.http.Bound;
import io.peft4j.serve.http.Json;
import io.peft4j.serve.http.RequestFields;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/** Constraints on answers. */
final class Constraints {
    /** To find a form a template renders a dozen conversations, and a model has one template. */
    private final Map<ChatTemplate, Optional<ToolForm>> forms = new ConcurrentHashMap<>();

    /** How a template writes calls; empty where it shows no tools. */
    Optional<ToolForm> form(ChatTemplate template) {
        return forms.computeIfAbsent(template, ToolForm::of);
    }

    /** Any JSON object. */
    TextConstraint json() {
        return TextConstraints.json();
    }

    /**
     * What a JSON schema allows.
     *
     * @param param the field that has it, for errors
     */
    TextConstraint schema(JsonNode schema, String param) {
        String text = Json.text(schema);
        requireShort(text, param);
        try {
            return TextConstraints.jsonSchema(text);
        } catch (ConfigurationException e) {
            throw ApiException.of(400, "invalid_request_error", "invalid_json_schema", param, e.getMessage());
        }
    }

    TextConstraint call(ToolForm form, List<Tool> tools, boolean several) {
        tools.forEach(tool -> requireShort(Json.text(tool.parameters()), "tools"));
        try {
            return TextConstraints.call(form, tools, several);
        } catch (ConfigurationException e) {
            throw ApiException.of(400, "invalid_request_error", "invalid_json_schema", "tools", e.getMessage());
        }
    }

    /** Texts whose calls are right; empty where a schema cannot be followed: then a call that is wrong stays text. */
    Optional<TextConstraint> calls(ToolForm form, List<Tool> tools, boolean several, String prompt) {
        try {
            tools.forEach(tool -> requireShort(Json.text(tool.parameters()), "tools"));
            return Optional.of(TextConstraints.calls(form, tools, several, prompt));
        } catch (ApiException | ConfigurationException e) {
            return Optional.empty();
        }
    }

    private static void requireShort(String schema, String param) {
        if (schema.length() > Bound.SCHEMA_CHARACTERS.most()) {
            throw ApiException.invalid(param,
                    "the JSON schema has more than " + Bound.SCHEMA_CHARACTERS.most() + " characters");
        }
    }

    /**
     * What the format of an answer allows.
     *
     * @param holder the object that has the schema, if there is one
     * @param field the field that has the format
     * @param schemaField the field that has the schema
     */
    Optional<TextConstraint> format(JsonNode format, JsonNode holder, String field, String schemaField) {
        return switch (format.path("type").asText()) {
            case "text" -> Optional.empty();
            case "json_object" -> Optional.of(json());
            case "json_schema" -> {
                JsonNode schema = holder.path("schema");
                RequestFields.require(schema.isObject(), schemaField, "an object", schema);
                yield Optional.of(schema(schema, field));
            }
            default -> throw ApiException.invalid(field + ".type",
                    "'" + field + ".type' must be text, json_object or json_schema");
        };
    }
}
