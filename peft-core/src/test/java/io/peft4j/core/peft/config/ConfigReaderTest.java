package io.peft4j.core.peft.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.peft.method.PeftMethods;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Types and ranges of configuration keys, and the layout of what is written. */
class ConfigReaderTest {
    private static ConfigReader read(String json) {
        return ConfigReader.parse(json, "folder/adapter_config.json");
    }

    private static void dropout(ConfigReader reader) {
        double p = reader.number("p", 0);
        reader.checked(() -> {
            Checks.probability("p", p);
            return p;
        });
    }

    private static void assertRefused(String json, Consumer<ConfigReader> use, String... parts) {
        String message = assertThrows(ConfigurationException.class, () -> use.accept(read(json))).getMessage();
        assertTrue(message.startsWith("folder/adapter_config.json"), message);
        for (String part : parts) {
            assertTrue(message.contains(part), message);
        }
    }

    @Test
    void valuesAndDefaults() {
        ConfigReader reader = read("""
                {"i": 3, "whole": 4.0, "x": 0.5, "flag": true, "text": "t", "null": null, "list": ["a", "b"],
                 "one": "a", "layers": 2, "numbers": {"b": 1, "a": 2.5}}""");
        assertEquals(3, reader.integer("i", 8, 1));
        assertEquals(4, reader.integer("whole", 8, 1));
        assertEquals(8, reader.integer("absent", 8, 1));
        assertEquals(8, reader.integer("null", 8, 1));
        assertEquals(0.5, reader.number("x", 1));
        assertTrue(reader.flag("flag", false));
        assertEquals("t", reader.text("text", "other"));
        assertEquals(Optional.empty(), reader.optionalText("null"));
        assertEquals(List.of("a", "b"), reader.texts("list"));
        assertEquals(OneOrMany.one("a"), reader.oneOrMoreTexts("one"));
        assertEquals(OneOrMany.many(List.of("a", "b")), reader.oneOrMoreTexts("list"));
        assertEquals(OneOrMany.one(2), reader.oneOrMoreIntegers("layers"));
        assertEquals(TargetModules.regex("a"), reader.modules("one"));
        assertEquals(TargetModules.of("a", "b"), reader.modules("list"));
        assertEquals(TargetModules.UNSET, reader.modules("null"));
        assertEquals(List.of("b", "a"), List.copyOf(reader.numbers("numbers").keySet()));
        assertEquals(Map.of("b", 1.0, "a", 2.5), reader.numbers("numbers"));
    }

    @Test
    void invalidValuesAreReportedWithFileKeyAndRange() {
        assertRefused("{\"r\": 0}", reader -> reader.integer("r", 8, 1), "r is 0", "an integer of at least 1");
        assertRefused("{\"r\": 1.5}", reader -> reader.integer("r", 8, 1), "r is 1.5");
        assertRefused("{\"r\": 1e12}", reader -> reader.integer("r", 8, 1), "r is");
        assertRefused("{\"r\": \"8\"}", reader -> reader.integer("r", 8, 1), "r is \"8\"");
        assertRefused("{\"p\": 1}", ConfigReaderTest::dropout, "p is 1", "below 1");
        assertRefused("{\"p\": -0.1}", ConfigReaderTest::dropout, "p is -0.1");
        assertRefused("{\"f\": 1}", reader -> reader.flag("f", false), "true or false");
        assertRefused("{\"t\": [1]}", reader -> reader.texts("t"), "t is 1", "a string");
        assertRefused("{\"t\": {}}", reader -> reader.modules("t"), "a list of strings");
        assertRefused("{\"t\": {\"a\": 0}}", reader -> reader.integers("t"), "t is 0");
        assertRefused("{\"task_type\": \"CHESS\"}", ConfigReader::common, "CHESS", "CAUSAL_LM");
        assertRefused("{\"use_dora\": true}", reader -> reader.requireOff("use_dora", "DoRA"), "DoRA is not supported");
        assertRefused("{\"c\": {\"a\": 1}}", reader -> reader.requireOff("c", "C"), "C is not supported");
    }

    @Test
    void disabledFeaturesAreKeptInTheFile() {
        ConfigReader reader = read("""
                {"a": null, "b": false, "c": {}, "d": [], "e": "", "f": [1, {"g": null}]}""");
        for (String key : List.of("a", "b", "c", "d", "e", "absent")) {
            reader.requireOff(key, key);
        }
        assertEquals(Map.of("a", "null", "b", "false", "c", "{}", "d", "[]", "e", "\"\"", "f", "[1,{\"g\":null}]"),
                reader.common().otherKeys());
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "[]", "3", "null", "{", "{\"r\": 1, \"r\": 2}", "{} {}", "{'r': 1}", "{\"r\": NaN}",
        "nonsense"})
    void nonObjectsAreRefused(String json) {
        assertRefused(json, reader -> {
        });
    }

    @Test
    void jsonIsWrittenLikePython() {
        CommonConfig common = new CommonConfig(Optional.empty(), Optional.of("b\"a\u00e9"), Optional.empty(), true, "1",
                Map.of("zz", "{\"a\":[]}"));
        String json = new ConfigWriter("TYPE", common).put("r", 3).put("alpha", 16.0).putDecimal("dropout", 0)
                .put("half", 0.5).put("targets", TargetModules.of("a", "b")).put("empty", Map.of())
                .putDefault("zz", "1").putDefault("yy", "{}").toJson();
        assertEquals("""
                {
                  "alpha": 16,
                  "auto_mapping": null,
                  "base_model_name_or_path": "b\\"a\u00e9",
                  "dropout": 0.0,
                  "empty": {},
                  "half": 0.5,
                  "inference_mode": true,
                  "peft_type": "TYPE",
                  "peft_version": "1",
                  "r": 3,
                  "revision": null,
                  "targets": [
                    "a",
                    "b"
                  ],
                  "task_type": null,
                  "yy": {},
                  "zz": {
                    "a": []
                  }
                }""", json);
    }

    @Test
    void anUnknownMethodIsReportedWithTheKnownOnes() {
        String message = assertThrows(ConfigurationException.class,
                () -> PeftMethods.readConfig("{\"peft_type\": \"MAGIC\"}", "x")).getMessage();
        assertTrue(message.contains("'MAGIC' is unknown; available are ["), message);
        assertThrows(ConfigurationException.class, () -> PeftMethods.readConfig("{}", "x"));
    }
}
