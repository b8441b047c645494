package io.peft4j.parity;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.nn.WeightedLayer;
import io.peft4j.core.peft.AdapterLease;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.peft.config.PeftConfig;
import io.peft4j.core.peft.method.Adapter;
import io.peft4j.core.peft.method.AdapterLayer;
import io.peft4j.core.peft.method.PeftMethod;
import io.peft4j.core.peft.method.PeftMethods;
import io.peft4j.lora.LoraConfig;
import io.peft4j.methods.Ia3Config;
import io.peft4j.models.BaseModel;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.math.MathContext;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * The table in {@code docs/methods.md} is what the methods say of themselves; what follows the mark behind it is
 * written by hand. After a change of theirs:
 * {@code mvn test -pl tests/parity -am -Dtest=MethodsTableTest -Dsurefire.failIfNoSpecifiedTests=false
 * -Dpeft4j.writeDocs=true}.
 */
@Tag("model")
class MethodsTableTest {
    private static final Path FILE = Path.of("../../docs", "methods.md");
    private static final String MARK = "\n<!-- what follows is not generated -->\n";
    private static final ObjectMapper JSON = new ObjectMapper();

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

    private static String generated() {
        StringBuilder text = new StringBuilder("""
                # Methods

                Select a method with `peft4j train --method NAME`, or with `--adapter-config` and its `peft_type`. Set
                keys without an option of their own with `--adapter-setting KEY=VALUE`. Parameters are those of a new
                adapter on SmolLM2-135M-Instruct with the default configuration or the settings beside them; the rate
                multiplies an automatic learning rate ([planning](planning.md)). What merges with a matrix also
                converts to LoRA (`adapter convert --rank R`), and as LoRA combines with others (`adapter combine`).
                What mixes serves some rows of a batch beside other adapters.

                | method | `peft_type` | trains | parameters | rate | merges | combines | mixes |
                |---|---|---|---|---|---|---|---|
                """);
        try (BaseModel model = BaseModel.load("HuggingFaceTB/SmolLM2-135M-Instruct")) {
            PeftMethods.all().forEach(method -> text.append(row(method, model)).append('\n'));
        }
        return text.toString();
    }

    private static String row(PeftMethod method, BaseModel model) {
        String settings = new TreeMap<>(method.exampleSettings()).entrySet().stream()
                .map(entry -> "`" + entry.getKey() + "=" + entry.getValue() + "`").collect(Collectors.joining(" "));
        String parameters;
        String merges;
        try (PeftModel adapted = model.withAdapter(config(method))) {
            parameters = String.format(Locale.ROOT, "%,d", adapted.trainableParameterCount())
                    + (settings.isEmpty() ? "" : " with " + settings);
            Optional<String> obstacle = adapted.adapter(PeftModel.DEFAULT_ADAPTER).layers().stream()
                    .map(AdapterLayer::mergeObstacle).flatMap(Optional::stream).findFirst();
            merges = obstacle.map(reason -> "no: " + reason).orElse("yes") + " | "
                    + combines(adapted, obstacle.isEmpty()) + " | " + mixes(adapted);
        } catch (ConfigurationException e) {
            parameters = "needs settings";
            merges = " | | ";
        }
        String rate = new BigDecimal(config(method).autoRateFactor()).round(new MathContext(2)).stripTrailingZeros()
                .toPlainString();
        return "| [`" + method.name() + "`](" + method.paper() + ") | `" + method.peftType() + "` | "
                + method.description() + " | " + parameters
                + " | " + rate + " | " + merges + " |";
    }

    private static String combines(PeftModel adapted, boolean merges) {
        Adapter adapter = adapted.adapter(PeftModel.DEFAULT_ADAPTER);
        if (adapter.config() instanceof LoraConfig || adapter.config() instanceof Ia3Config) {
            return "yes";
        }
        return merges && adapter.layers().stream().allMatch(layer -> layer.slot().layer() instanceof WeightedLayer own
                && own.matrix().isPresent()) ? "as LoRA" : "no";
    }

    private static String mixes(PeftModel adapted) {
        try (AdapterLease lease = adapted.leaseAdapter(PeftModel.DEFAULT_ADAPTER)) {
            return lease.mixingObstacle().isEmpty() ? "yes" : "no";
        }
    }

    private static PeftConfig config(PeftMethod method) {
        ObjectNode config = JSON.createObjectNode().put("peft_type", method.peftType());
        for (Map.Entry<String, String> setting : method.exampleSettings().entrySet()) {
            try {
                config.set(setting.getKey(), JSON.readTree(setting.getValue()));
            } catch (IOException e) {
                throw new UncheckedIOException("a setting of " + method.name() + " is no JSON", e);
            }
        }
        return PeftMethods.readConfig(config.toString(), method.name());
    }
}
