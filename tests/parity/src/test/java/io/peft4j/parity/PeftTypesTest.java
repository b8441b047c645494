package io.peft4j.parity;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.peft.config.Group;
import io.peft4j.core.peft.config.PeftConfig;
import io.peft4j.core.peft.config.UnusedKey;
import io.peft4j.core.peft.file.AdapterCheckpoint;
import io.peft4j.core.peft.method.PeftMethod;
import io.peft4j.core.peft.method.PeftMethods;
import io.peft4j.lora.CombinationType;
import io.peft4j.lora.LoraConversion;
import io.peft4j.lora.WeightedCombination;
import io.peft4j.methods.Ia3Combination;
import io.peft4j.models.BaseModel;
import io.peft4j.train.Trainer;
import java.io.IOException;
import java.lang.reflect.RecordComponent;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Every method of Hugging Face PEFT is here, and has a line in the documentation. The table in {@code docs/interop.md}
 * is what an adapter of each method does when it is asked to; after a change:
 * {@code mvn test -pl tests/parity -am -Dtest=PeftTypesTest -Dsurefire.failIfNoSpecifiedTests=false
 * -Dpeft4j.writeDocs=true}.
 */
class PeftTypesTest {
    private static final Path PAGE = Path.of("../../docs", "interop.md");
    private static final String BEGIN = "<!-- generated -->\n";
    private static final String END = "<!-- not generated -->\n";
    private static final String BASE = "tiny-llama";

    @TempDir
    private Path folder;

    @Test
    void allMethodsOfPeftAreHere() throws IOException {
        List<String> missing = new ArrayList<>();
        Fixtures.json("peft_types.json").get("names").forEach(name -> missing.add(name.asText()));
        assertEquals(45, missing.size());
        missing.removeAll(PeftMethods.all().stream().map(PeftMethod::peftType).toList());
        assertEquals(List.of(), missing);
        String table = Files.readString(PAGE.resolveSibling("methods.md"));
        PeftMethods.all().forEach(method -> assertTrue(table.contains("[`" + method.name() + "`]("), method.name()));
    }

    @Test
    void theTableSaysWhatAdaptersDo() throws IOException {
        String page = Files.readString(PAGE);
        int from = page.indexOf(BEGIN) + BEGIN.length();
        int to = page.indexOf(END);
        String generated = generated();
        if (Boolean.getBoolean("peft4j.writeDocs")) {
            Files.writeString(PAGE, page.substring(0, from) + generated + page.substring(to));
        } else {
            assertEquals(generated, page.substring(from, to), "the comment of this test says how to write it");
        }
    }

    private String generated() {
        StringBuilder text = new StringBuilder("|method|loads|trains|merges|converts|combines|mixes|\n");
        text.append("|---|---|---|---|---|---|---|\n");
        Map<String, Set<String>> refused = new TreeMap<>();
        for (PeftMethod method : PeftMethods.all()) {
            try (PeftModel model = model(method)) {
                text.append('|').append(method.name()).append('|').append(String.join("|", abilities(model)))
                        .append("|\n");
                features(model.adapter(PeftModel.DEFAULT_ADAPTER).config().getClass())
                        .forEach(key -> refused.computeIfAbsent(key.value(), k -> new TreeSet<>()).add(method.name()));
            }
        }
        text.append("\nRefused, if not at their defaults:");
        refused.forEach(
                (key, methods) -> text.append(text.charAt(text.length() - 1) == ':' ? "\n`" : ",\n`").append(key)
                        .append("` (").append(String.join(", ", methods)).append(')'));
        return text.append(".\n").toString();
    }

    /** An adapter that PEFT saved, the one with the method's name if there is one, or one that was saved here. */
    private PeftModel model(PeftMethod method) {
        BaseModel base = KernelsUnderTest.sharedBest(BASE);
        Optional<Path> saved = Stream.concat(Fixtures.adapters().stream().map(Fixtures::adapter),
                Fixtures.methods().stream().map(Fixtures::method))
                .filter(own -> Fixtures.json(own.resolve("expected.json")).get("model").asText().equals(BASE)
                        && Fixtures.json(own.resolve(AdapterCheckpoint.CONFIG_FILE)).get("peft_type").asText()
                                .equals(method.peftType()))
                .min(Comparator.comparing(own -> !own.endsWith(method.name())));
        return PeftModel.load(base, saved.orElseGet(() -> {
            try (PeftModel made = PeftModel.of(base, PeftMethods.readConfig("{\"peft_type\": \"" + method.peftType()
                    + "\"}", method.name()))) {
                made.saveAdapter(folder.resolve(method.name()));
            }
            return folder.resolve(method.name());
        }));
    }

    private static List<String> abilities(PeftModel model) {
        String name = PeftModel.DEFAULT_ADAPTER;
        boolean mixes = works(() -> model.activateByRow(name, PeftModel.BASE));
        model.activate(name);
        boolean converts = works(() -> LoraConversion.add(model, name, "converted", 64));
        boolean combines = works(() -> WeightedCombination.of(CombinationType.LINEAR).adapter(name, 1)
                .addTo(model, "combined"))
                || works(() -> new Ia3Combination().adapter(name, 1).addTo(model, "combined"));
        boolean trains = trains(model);
        boolean merges = works(model::merge);
        return List.of("yes", word(trains), word(merges), word(converts), combines ? "yes"
                : converts ? "converted" : "no", word(mixes));
    }

    private static String word(boolean works) {
        return works ? "yes" : "no";
    }

    private static boolean works(Runnable attempt) {
        try {
            attempt.run();
            return true;
        } catch (ConfigurationException e) {
            return false;
        }
    }

    /** PEFT does not save the networks that compute virtual tokens, so that a new adapter takes their place. */
    private static boolean trains(PeftModel model) {
        PeftConfig config = model.adapter(PeftModel.DEFAULT_ADAPTER).config();
        if (model.trainableParameters().isEmpty()) {
            try (PeftModel begun = PeftModel.of(KernelsUnderTest.sharedBest(BASE), config, new SplittableRandom(1))) {
                return !begun.trainableParameters().isEmpty() && trains(begun);
            }
        }
        List<TokenSequence> texts = Fixtures.texts(BASE).subList(0, 2);
        double[] before = Measure.together(model, texts);
        Trainer.builder(model).epochs(1).batchSize(4).warmupSteps(0).learningRate(1e-2).build()
                .train(Fixtures.examples().subList(0, 4));
        return !Arrays.equals(before, Measure.together(model, texts));
    }

    /** What a configuration and the parts of its keys refuse. */
    private static List<UnusedKey> features(Class<?> config) {
        Stream<UnusedKey> inner = Arrays.stream(config.getRecordComponents())
                .filter(component -> component.isAnnotationPresent(Group.class)).map(RecordComponent::getType)
                .flatMap(part -> features(part).stream());
        return Stream.concat(Arrays.stream(config.getAnnotationsByType(UnusedKey.class)), inner)
                .filter(key -> !key.feature().isEmpty()).collect(Collectors.toList());
    }
}
