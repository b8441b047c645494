package io.peft4j.parity;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.peft.config.PeftConfig;
import io.peft4j.core.peft.method.PeftMethod;
import io.peft4j.core.peft.method.PeftMethods;
import io.peft4j.lora.LoraConfig;
import io.peft4j.models.BaseModel;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The table in {@code docs/methods.md} is what the methods say of themselves; what follows the mark behind it is
 * written by hand. After a change of theirs:
 * {@code mvn test -pl tests/parity -am -Dtest=MethodsTableTest -Dsurefire.failIfNoSpecifiedTests=false
 * -Dpeft4j.writeDocs=true}.
 */
@Tag("full")
@Tag("model")
class MethodsTableTest {
    private static final Path FILE = Path.of("../../docs", "methods.md");
    private static final String MARK = "\n<!-- what follows is not generated -->\n";
    private static final ObjectMapper JSON = new ObjectMapper();

    /** An adapter for the methods that are made of others. */
    @TempDir
    private Path part;

    @Test
    void theTableMatchesTheRegistry() throws IOException {
        String generated = generated() + MARK;
        assertFalse(PeftMethods.all().isEmpty());
        String present = Files.exists(FILE) ? Files.readString(FILE) : "";
        int end = present.contains(MARK) ? present.indexOf(MARK) + MARK.length() : present.length();
        if (Boolean.getBoolean("peft4j.writeDocs")) {
            Files.createDirectories(FILE.getParent());
            Files.writeString(FILE, generated + present.substring(end));
        } else {
            assertEquals(generated, present.substring(0, end),
                    "docs/methods.md is not what the methods say; the comment of this test says how to write it");
        }
    }

    private String generated() {
        StringBuilder text = new StringBuilder("""
                # Methods

                Select a method with `peft4j train --method NAME`, and set keys without an option of their own with
                `--adapter-setting KEY=VALUE` or `--adapter-config`. Parameters are those of a new adapter on
                SmolLM2-135M-Instruct. [What can be merged, converted, combined and mixed]\
                (interop.md#differences-from-peft).

                | method | trains | parameters |
                |---|---|---|
                """);
        try (BaseModel model = BaseModel.load("HuggingFaceTB/SmolLM2-135M-Instruct")) {
            try (PeftModel lora = model.withAdapter(LoraConfig.builder().build())) {
                lora.saveAdapter(part);
            }
            PeftMethods.all().forEach(method -> text.append(row(method, model)).append('\n'));
        }
        return text.toString();
    }

    private String row(PeftMethod method, BaseModel model) {
        String settings = new TreeMap<>(method.exampleSettings()).entrySet().stream()
                .map(entry -> "`" + entry.getKey() + "=" + entry.getValue() + "`").collect(Collectors.joining(" "));
        String parameters;
        try (PeftModel adapted = model.withAdapter(config(method))) {
            parameters = String.format(Locale.ROOT, "%,d", adapted.trainableParameterCount())
                    + (settings.isEmpty() ? "" : " with " + settings);
        }
        String type = method.name().toUpperCase(Locale.ROOT).replace('-', '_').equals(method.peftType()) ? ""
                : " (`" + method.peftType() + "`)";
        return "| [`" + method.name() + "`](" + method.paper() + ")" + type + " | "
                + method.description().replaceFirst(" of each target\\b(?!')", "") + " | "
                + parameters + " |";
    }

    private PeftConfig config(PeftMethod method) {
        ObjectNode config = JSON.createObjectNode().put("peft_type", method.peftType());
        for (Map.Entry<String, String> setting : method.exampleSettings().entrySet()) {
            try {
                config.set(setting.getKey(), JSON.readTree(setting.getValue().replace("ADAPTER",
                        part.toString())));
            } catch (IOException e) {
                throw new UncheckedIOException("a setting of " + method.name() + " is no JSON", e);
            }
        }
        return PeftMethods.readConfig(config.toString(), method.name());
    }
}
