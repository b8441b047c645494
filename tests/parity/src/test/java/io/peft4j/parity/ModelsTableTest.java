package io.peft4j.parity;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.peft4j.models.architecture.Architecture;
import io.peft4j.models.architecture.Architectures;
import io.peft4j.models.architecture.GgufForm;
import io.peft4j.models.architecture.ModelConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/**
 * The table in {@code docs/models.md} is what the models of {@link FamiliesTest} are made of; what follows the mark
 * behind it is written by hand. After a new family:
 * {@code mvn test -pl tests/parity -am -Dtest=ModelsTableTest -Dsurefire.failIfNoSpecifiedTests=false
 * -Dpeft4j.writeDocs=true}.
 */
class ModelsTableTest {
    private static final Path FILE = Path.of("../../docs", "models.md");
    private static final String MARK = "\n<!-- what follows is not generated -->\n";

    /** What the fixtures of a family show. */
    private record Row(Set<String> traits, String gguf) {
    }

    @Test
    void theTableIsWhatTheFixturesShow() throws IOException {
        String generated = generated() + MARK;
        String present = Files.exists(FILE) ? Files.readString(FILE) : "";
        int end = present.contains(MARK) ? present.indexOf(MARK) + MARK.length() : present.length();
        if (Boolean.getBoolean("peft4j.writeDocs")) {
            Files.writeString(FILE, generated + present.substring(end));
        } else {
            assertEquals(generated, present.substring(0, end),
                    "docs/models.md is not what the fixtures show; the comment of this test says how to write it");
        }
    }

    private static String generated() {
        Map<String, Row> rows = new TreeMap<>();
        addTo(rows, "tiny-llama");
        addTo(rows, "tiny-llama-untied");
        FamiliesTest.families().forEach(name -> addTo(rows, "families/" + name));
        StringBuilder text = new StringBuilder("""
                # Models

                The decoders below give the likelihoods of Hugging Face Transformers within 1e-5, train as Hugging Face
                PEFT does for 12 steps, and load and save its adapters. "Beside Llama" is how a family differs from
                Llama; every family reads all kinds of rotary scaling, those named are tested.

                | `model_type` | beside Llama | GGUF |
                |---|---|---|
                """);
        rows.forEach((type, row) -> text.append(String.format("| `%s` | %s | %s |%n", type,
                String.join(", ", row.traits()), row.gguf())));
        return text.toString();
    }

    private static void addTo(Map<String, Row> rows, String folder) {
        ModelConfig config = ModelConfig.read(Fixtures.FOLDER.resolve(folder).resolve("config.json"));
        Architecture family = Architectures.of(config);
        Row row = rows.computeIfAbsent(config.modelType(), type -> new Row(new LinkedHashSet<>(), family.gguf()
                .map(GgufForm::architecture).map(name -> "`" + name + "`").orElse("no")));
        row.traits().addAll(family.traits(config));
        config.object("rope_parameters").or(() -> config.object("rope_scaling")).ifPresent(rope -> {
            rope.text("rope_type").filter(kind -> !kind.equals("default")).ifPresent(row.traits()::add);
            for (String kind : new String[] {"full_attention", "sliding_attention"}) {
                rope.object(kind).flatMap(own -> own.text("rope_type"))
                        .filter(type -> !type.equals("default")).ifPresent(row.traits()::add);
            }
        });
    }
}
