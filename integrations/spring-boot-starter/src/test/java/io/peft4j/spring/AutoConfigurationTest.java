package io.peft4j.spring;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.peft4j.core.decision.DecisionCalibration;
import io.peft4j.core.decision.DecisionQuestion;
import io.peft4j.core.decision.DecisionSettings;
import io.peft4j.core.peft.file.AdapterSignature;
import io.peft4j.core.task.DecisionModel;
import io.peft4j.core.tool.ToolForm;
import io.peft4j.models.ModelOptions;
import io.peft4j.models.PeftAdapters;
import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.RecordComponent;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.Key;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.ai.chat.model.ChatModel;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.diagnostics.FailureAnalysis;
import org.springframework.boot.diagnostics.FailureAnalyzer;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.runner.WebApplicationContextRunner;
import org.springframework.core.io.support.SpringFactoriesLoader;

/** What the starter configures, and what it leaves alone. */
class AutoConfigurationTest {
    private final WebApplicationContextRunner application = new WebApplicationContextRunner()
            .withConfiguration(AutoConfigurations.of(PeftAutoConfiguration.class));

    @Test
    void withoutAModelThereIsNothing() {
        application.run(context -> assertEquals(0, context.getBeansOfType(PeftAdapters.class).size()));
    }

    @Test
    void teachingByHttpIsSwitchedOffByDefault() {
        application.withPropertyValues("peft4j.model=tiny", "peft4j.dtype=f32", "peft4j.threads=1").run(context -> {
            assertEquals(0, context.getBeansOfType(TuningController.class).size());
            assertEquals(1, context.getBeansOfType(ChatModel.class).size());
            assertEquals(ModelOptions.Precision.F32, context.getBean(PeftAdapters.class).base().precision()
                    .precision());
        });
    }

    @Test
    void aTemplateWithoutToolsGetsThemByASetting() {
        for (String form : List.of("", "hermes")) {
            application.withPropertyValues("peft4j.model=tiny", "peft4j.tool-form=" + form).run(context -> assertEquals(
                    form, ToolForm.of(context.getBean(PeftAdapters.class).base().chatTemplate().orElseThrow())
                            .map(ToolForm::name).orElse("")));
        }
        application.withPropertyValues("peft4j.model=tiny", "peft4j.tool-form=herms").run(context -> assertTrue(
                reason(context.getStartupFailure()).contains("unknown form of tool calls 'herms'")));
    }

    @Test
    void healthIsLeftOutWhereTheApplicationHasNone() {
        application.withPropertyValues("peft4j.model=tiny")
                .withClassLoader(new FilteredClassLoader("org.springframework.boot.health"))
                .run(context -> assertEquals(1, context.getBeansOfType(ChatModel.class).size()));
    }

    @Test
    void modelsNeedSpringAiAndNoOtherProviderChosen() {
        application.withPropertyValues("peft4j.model=tiny").withClassLoader(new FilteredClassLoader(
                "org.springframework.ai")).run(context -> {
                    assertEquals("tiny", context.getBean(PeftAdapters.class).base().network().description().name());
                    assertFalse(context.containsBean("peftChatModel"));
                });
        application.withPropertyValues("peft4j.model=tiny", "spring.ai.model.chat=openai",
                "spring.ai.model.embedding=none").run(context -> {
                    assertEquals(1, context.getBeansOfType(PeftHealthIndicator.class).size());
                    assertFalse(context.containsBean("peftChatModel") || context.containsBean("peftEmbeddingModel"));
                });
        application.withPropertyValues("peft4j.model=tiny", "spring.ai.model.chat=peft4j",
                "management.health.peft.enabled=false").run(context -> {
                    assertEquals(1, context.getBeansOfType(ChatModel.class).size());
                    assertEquals(0, context.getBeansOfType(PeftHealthIndicator.class).size());
                });
    }

    private static void properties(String prefix, Class<?> type, Set<String> names) {
        for (RecordComponent component : type.getRecordComponents()) {
            String name = prefix + "." + component.getName().replaceAll("([A-Z])", "-$1").toLowerCase(Locale.ROOT);
            if (component.getType().getEnclosingClass() == PeftProperties.class) {
                properties(name, component.getType(), names);
            } else {
                names.add(name);
            }
        }
    }

    @Test
    void eachPropertyIsDescribedForEditors() throws IOException {
        JsonNode metadata;
        try (InputStream in = getClass().getResourceAsStream("/META-INF/spring-configuration-metadata.json")) {
            metadata = new ObjectMapper().readTree(in);
        }
        Map<String, String> described = new TreeMap<>();
        metadata.get("properties").forEach(property -> described.put(property.get("name").asText(), property.path(
                "description").asText()));
        Set<String> names = new TreeSet<>();
        properties("peft4j", PeftProperties.class, names);

        assertEquals(names, described.keySet());
        described.forEach((name, text) -> assertTrue(text.contains(" "), name + " is described as '" + text + "'"));
    }

    private static String reason(Throwable failure) {
        Throwable cause = failure;
        while (cause.getCause() != null) {
            cause = cause.getCause();
        }
        return cause.getMessage();
    }

    @Test
    void aMistakeInTheSettingsSaysWhatIsMissing() {
        application.withPropertyValues("peft4j.model=tiny", "peft4j.tuning.enabled=true")
                .run(context -> assertTrue(reason(context.getStartupFailure()).contains("needs peft4j.adapters")));
    }

    @Test
    void adaptersMustBeSignedWhereAKeyIsTrusted(@TempDir Path folder) throws Exception {
        Path adapter = Files.createDirectories(folder.resolve("adapters/hr"));
        for (String name : List.of("adapter_config.json", "adapter_model.safetensors")) {
            Files.copy(Path.of("../../tests/fixtures/adapters/lora").resolve(name), adapter.resolve(name));
        }
        KeyPair pair = KeyPairGenerator.getInstance("Ed25519").generateKeyPair();
        Path trusted = pem(folder.resolve("K.pub"), "PUBLIC", pair.getPublic());
        WebApplicationContextRunner signed = application.withPropertyValues(
                "peft4j.model=../../tests/fixtures/tiny-llama",
                "peft4j.reload=0", "peft4j.adapters=" + adapter.getParent(), "peft4j.trusted-key=" + trusted);
        signed.run(context -> {
            PeftAdapters adapters = context.getBean(PeftAdapters.class);
            assertTrue(adapters.problems().get("hr").contains("is not signed"), adapters.problems().toString());
            AdapterSignature.sign(adapter, pem(folder.resolve("K.pem"), "PRIVATE", pair.getPrivate()));
            adapters.refresh();
            assertEquals(List.of("hr"), adapters.names());
        });
        signed.withPropertyValues("peft4j.tuning.enabled=true").run(context -> assertTrue(
                reason(context.getStartupFailure()).contains("takes signed ones only")));
    }

    private static Path pem(Path file, String kind, Key key) throws IOException {
        return Files.writeString(file, "-----BEGIN " + kind + " KEY-----\n" + Base64.getMimeEncoder()
                .encodeToString(key.getEncoded()) + "\n-----END " + kind + " KEY-----\n");
    }

    /** The threshold is in the model's own settings. */
    @Test
    void answersThatAreNotCertainEnoughAreLeftToAPerson(@TempDir Path folder) throws IOException {
        for (String name : List.of("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json")) {
            Files.copy(Path.of("../../tests/fixtures/tiny-llama").resolve(name), folder.resolve(name));
        }
        DecisionSettings.DEFAULT.withFitted(Map.of(), new DecisionCalibration(Stream.of("Certain?", "Guess?")
                .map(question -> new DecisionCalibration.Entry("choice", question, List.of("a", "b"), "none", "",
                        100, List.of(1.0, 1.0), List.of(0.0, 0.0), List.of(), List.of(),
                        List.of(new DecisionCalibration.Threshold(0.05, question.equals("Guess?") ? 1.1 : 0.5, 1, 0,
                                1)),
                        List.of()))
                .toList())).write(folder);
        application.withPropertyValues("peft4j.model=" + folder, "peft4j.decisions.max-error=0.05").run(context -> {
            DecisionModel model = context.getBean(PeftDecisions.class).model();
            assertFalse(
                    model.decide("charged twice", DecisionQuestion.choice("Certain?", List.of("a", "b"))).refused());
            assertTrue(model.decide("charged twice", DecisionQuestion.choice("Guess?", List.of("a", "b"))).refused());
        });
        application.withPropertyValues("peft4j.model=" + folder).run(context -> assertFalse(context.getBean(
                PeftDecisions.class).model()
                .decide("charged twice", DecisionQuestion.choice("Guess?", List.of("a", "b"))).refused()));
    }

    @Test
    void twoAdaptersWithoutADefaultDoNotStart(@TempDir Path folder) throws IOException {
        for (String name : List.of("ferry", "hr")) {
            Files.writeString(Files.createDirectory(folder.resolve(name)).resolve("adapter_config.json"), "{}");
        }
        WebApplicationContextRunner two = application.withPropertyValues("peft4j.model=tiny", "peft4j.adapters="
                + folder);
        two.run(context -> {
            String reason = reason(context.getStartupFailure());
            assertTrue(reason.contains("[ferry, hr]") && reason.contains("set peft4j.default-adapter"), reason);
            FailureAnalysis said = SpringFactoriesLoader.forDefaultResourceLocation()
                    .load(FailureAnalyzer.class, (type, name, needsMore) -> {
                    }).stream().map(each -> each.analyze(context.getStartupFailure())).filter(Objects::nonNull)
                    .findFirst().orElseThrow();
            assertTrue(said.getDescription().contains("[ferry, hr]"), said.getDescription());
            assertTrue(said.getAction().startsWith("Set peft4j.default-adapter to"), said.getAction());
        });
        two.withPropertyValues("peft4j.default-adapter=fery").run(context -> assertTrue(reason(context
                .getStartupFailure()).startsWith("unknown adapter 'fery'"),
                reason(context.getStartupFailure())));
        two.withPropertyValues("peft4j.default-adapter=__base__").run(context -> {
            PeftAdapters adapters = context.getBean(PeftAdapters.class);
            assertSame(adapters.base(), adapters.model());
            assertEquals(Set.of("ferry", "hr"), adapters.problems().keySet());
        });
    }
}
