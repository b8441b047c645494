package io.peft4j.models.generation;

import com.fasterxml.jackson.databind.JsonNode;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.SimilarNames;
import io.peft4j.core.tool.ToolForm;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * A JSON schema (draft 2020-12, and the older {@code definitions}) as the rule of the texts that it allows, within
 * the bounds that {@link TextConstraints#jsonSchema} names.
 */
final class JsonSchema {
    /** How deep a value without a schema may be nested. */
    static final int FREE_DEPTH = 4;

    private static final Set<String> REMARKS = Set.of("title", "description", "default", "examples", "$schema", "$id",
            "$comment", "$defs", "definitions", "deprecated", "readOnly", "writeOnly");
    private static final Map<String, Set<String>> KEYWORDS = Map.of(
            "object", Set.of("properties", "required", "additionalProperties"),
            "array", Set.of("items", "prefixItems", "minItems", "maxItems"),
            "string", Set.of("minLength", "maxLength", "pattern", "format"),
            "integer", Set.of("minimum", "maximum"), "number", Set.of(), "boolean", Set.of(), "null", Set.of());
    private static final Set<String> CHOICES = Set.of("enum", "const", "anyOf", "oneOf", "allOf", "$ref");

    private final JsonNode root;
    private final Map<String, Rule.Reference> references = new HashMap<>();

    JsonSchema(JsonNode root) {
        this.root = root;
    }

    Rule rule() {
        return value(root, "");
    }

    /** The properties of the object that the schema describes, written in another way than JSON's. */
    Rule members(ToolForm.Members form) {
        Map<String, Rule> members = new LinkedHashMap<>();
        root.path("properties").fields().forEachRemaining(property -> members.put(property.getKey(), Rule.sequence(
                Rule.text(form.key() + property.getKey() + form.value().replace("%s",
                        String.valueOf(isText(property.getValue())))),
                member(property.getValue(), form.quote(),
                        "/properties/" + property.getKey()),
                Rule.text(form.end()))));
        Set<String> required = new TreeSet<>();
        root.path("required").forEach(name -> required.add(name.asText()));
        return JsonRules.members(members, required, Rule.text(form.separator()));
    }

    private static boolean isText(JsonNode schema) {
        return schema.path("type").asText().equals("string");
    }

    private Rule member(JsonNode schema, String quote, String place) {
        Rule json = value(schema, place);
        if (quote.equals("\"") || !isText(schema)) {
            return json;
        }
        List<Rule> choices = new ArrayList<>();
        schema.path("enum").forEach(choice -> choices.add(Rule.text(quote + choice.asText() + quote)));
        return choices.isEmpty() ? Rule.sequence(Rule.text(quote), RegexParser.parse("[^<]*"), Rule.text(quote))
                : Rule.choice(choices);
    }

    private Rule value(JsonNode schema, String place) {
        boolean free = schema.isObject() && REMARKS.containsAll(names(schema));
        if (free || schema.isBoolean() && schema.booleanValue()) {
            return JsonRules.any(FREE_DEPTH);
        }
        if (!schema.isObject()) {
            throw refused(place, "is " + schema + "; expected an object");
        }
        Optional<String> choice = CHOICES.stream().filter(schema::has).sorted().findFirst();
        if (choice.isPresent()) {
            return choice(schema, choice.get(), place);
        }
        List<String> types = types(schema, place);
        checkKeywords(schema, types, place);
        List<Rule> all = new ArrayList<>();
        types.forEach(type -> all.add(typed(type, schema, place)));
        return Rule.choice(all);
    }

    private static List<String> names(JsonNode schema) {
        List<String> names = new ArrayList<>();
        schema.fieldNames().forEachRemaining(names::add);
        return names;
    }

    private static List<String> types(JsonNode schema, String place) {
        JsonNode type = schema.path("type");
        List<String> types = new ArrayList<>();
        if (type.isTextual()) {
            types.add(type.textValue());
        } else if (type.isArray()) {
            type.forEach(one -> types.add(one.asText()));
        } else if (schema.has("properties")) {
            types.add("object");
        } else if (schema.has("items") || schema.has("prefixItems")) {
            types.add("array");
        } else {
            types.addAll(List.of("object", "array", "string", "number", "boolean", "null"));
        }
        for (String name : types) {
            if (!KEYWORDS.containsKey(name)) {
                throw refused(place, "has the type '" + name + "'; " + SimilarNames.sentence(name, KEYWORDS.keySet()));
            }
        }
        return types;
    }

    private static void checkKeywords(JsonNode schema, List<String> types, String place) {
        Set<String> known = new TreeSet<>(Set.of("type"));
        types.forEach(type -> known.addAll(KEYWORDS.get(type)));
        schema.fieldNames().forEachRemaining(name -> {
            if (!known.contains(name) && !REMARKS.contains(name)) {
                throw refused(place, "has the keyword '" + name + "', which is not supported for the type "
                        + String.join(", ", types) + "; supported are " + known);
            }
        });
    }

    private Rule choice(JsonNode schema, String keyword, String place) {
        JsonNode choices = schema.get(keyword);
        schema.fieldNames().forEachRemaining(name -> {
            if (!name.equals(keyword) && !name.equals("type") && !REMARKS.contains(name)) {
                throw refused(place, "has '" + name + "' beside '" + keyword + "'; the combination is not supported");
            }
        });
        switch (keyword) {
            case "const" :
                return JsonRules.literal(choices);
            case "$ref" :
                return reference(choices.asText(), place);
            default :
                break;
        }
        if (!choices.isArray() || choices.isEmpty() || keyword.equals("allOf") && choices.size() > 1) {
            throw refused(place, keyword.equals("allOf") ? "has 'allOf' of several schemas, which is not supported"
                    : "has no list of choices in '" + keyword + "'");
        }
        List<Rule> all = new ArrayList<>();
        for (int i = 0; i < choices.size(); i++) {
            all.add(keyword.equals("enum") ? JsonRules.literal(choices.get(i))
                    : value(choices.get(i), place + "/" + keyword + "/" + i));
        }
        return Rule.choice(all);
    }

    private Rule reference(String reference, String place) {
        JsonNode target = reference.equals("#") ? root : reference.startsWith("#/") ? root.at(reference.substring(1))
                : root.path("");
        if (target.isMissingNode()) {
            throw refused(place, "refers to '" + reference + "', which the schema does not have");
        }
        Rule.Reference known = references.get(reference);
        if (known == null) {
            known = new Rule.Reference(reference);
            references.put(reference, known);
            known.target(value(target, reference));
        }
        return known;
    }

    private Rule typed(String type, JsonNode schema, String place) {
        return switch (type) {
            case "object" -> object(schema, place);
            case "array" -> array(schema, place);
            case "string" -> string(schema, place);
            case "integer" -> schema.has("minimum") || schema.has("maximum") ? range(schema, place)
                    : JsonRules.integer();
            case "number" -> JsonRules.number();
            case "boolean" -> Rule.choice(Rule.text("true"), Rule.text("false"));
            default -> Rule.text("null");
        };
    }

    private Rule range(JsonNode schema, String place) {
        JsonNode least = schema.path("minimum");
        JsonNode most = schema.path("maximum");
        if (!least.isIntegralNumber() || !most.isIntegralNumber() || !most.canConvertToInt() || least.intValue() < 0
                || most.intValue() < least.intValue()) {
            throw refused(place, "bounds an integer; this needs both 'minimum' and 'maximum', whole numbers of "
                    + "at least 0");
        }
        return JsonRules.integer(least.intValue(), most.intValue());
    }

    private static Rule string(JsonNode schema, String place) {
        int least = schema.path("minLength").asInt(0);
        int most = schema.path("maxLength").asInt(-1);
        boolean bounded = schema.has("minLength") || schema.has("maxLength");
        if (bounded && (schema.has("pattern") || schema.has("format"))) {
            throw refused(place, "bounds the length of a string with a pattern or format; the combination is "
                    + "not supported");
        }
        if (least < 0 || most >= 0 && most < least) {
            throw refused(place, "allows strings of " + least + " to " + most + " characters");
        }
        if (schema.has("pattern")) {
            return JsonRules.matching(searched(schema.get("pattern").asText()));
        }
        if (schema.has("format")) {
            return JsonRules.format(schema.get("format").asText())
                    .orElseThrow(() -> refused(place, "has the format " + schema.get("format") + "; supported are "
                            + JsonRules.formats()));
        }
        return JsonRules.string(least, most);
    }

    /** A pattern of a schema may match anywhere in the text, unless it says otherwise. */
    private static String searched(String pattern) {
        return (pattern.startsWith("^") ? "" : ".*") + "(" + strip(pattern) + ")" + (pattern.endsWith("$") ? "" : ".*");
    }

    private static String strip(String pattern) {
        String start = pattern.startsWith("^") ? pattern.substring(1) : pattern;
        return start.endsWith("$") ? start.substring(0, start.length() - 1) : start;
    }

    private Rule array(JsonNode schema, String place) {
        int least = schema.path("minItems").asInt(0);
        int most = schema.path("maxItems").asInt(-1);
        List<Rule> first = new ArrayList<>();
        for (JsonNode item : schema.path("prefixItems")) {
            first.add(value(item, place + "/prefixItems/" + first.size()));
        }
        boolean closed = schema.path("items").isBoolean() && !schema.get("items").booleanValue();
        if (!first.isEmpty() && !closed) {
            throw refused(place, "has 'prefixItems' without \"items\": false; other items are not supported");
        }
        if (!first.isEmpty()) {
            return JsonRules.tuple(first);
        }
        Rule item = schema.has("items") ? value(schema.get("items"), place + "/items")
                : JsonRules.any(FREE_DEPTH - 1);
        if (least < 0 || most >= 0 && most < least) {
            throw refused(place, "allows arrays of " + least + " to " + most + " items");
        }
        return JsonRules.array(item, least, most);
    }

    private Rule object(JsonNode schema, String place) {
        Set<String> required = new TreeSet<>();
        schema.path("required").forEach(name -> required.add(name.asText()));
        Map<String, Rule> properties = new LinkedHashMap<>();
        schema.path("properties").fields().forEachRemaining(property -> properties.put(property.getKey(),
                value(property.getValue(), place + "/properties/" + property.getKey())));
        for (String name : required) {
            if (!properties.containsKey(name)) {
                throw refused(place, "requires the property '" + name + "', which 'properties' does not have; "
                        + SimilarNames.sentence(name, properties.keySet()));
            }
        }
        JsonNode more = schema.path("additionalProperties");
        if (more.isObject()) {
            if (!properties.isEmpty()) {
                throw refused(place, "has 'properties' and a schema of 'additionalProperties'; the combination "
                        + "is not supported");
            }
            return JsonRules.map(value(more, place + "/additionalProperties"));
        }
        boolean closed = more.isBoolean() && !more.booleanValue();
        return properties.isEmpty() && !closed ? JsonRules.map(JsonRules.any(FREE_DEPTH - 1))
                : JsonRules.object(properties, required);
    }

    private static ConfigurationException refused(String place, String what) {
        return new ConfigurationException("the JSON schema " + (place.isEmpty() ? "" : "at " + place + " ") + what);
    }
}
