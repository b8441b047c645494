package io.peft4j.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.SimilarNames;
import io.peft4j.core.model.Network;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.peft.config.CalibrationBatches;
import io.peft4j.core.peft.config.PeftConfig;
import io.peft4j.core.peft.file.AdapterCheckpoint;
import io.peft4j.core.peft.method.PeftMethod;
import io.peft4j.core.peft.method.PeftMethods;
import io.peft4j.core.peft.method.Targets;
import io.peft4j.models.BaseModel;
import io.peft4j.models.architecture.Architectures;
import io.peft4j.train.plan.AutoInteger;
import io.peft4j.train.plan.AutoNumber;
import io.peft4j.train.plan.HyperparameterRules;
import io.peft4j.train.plan.Hyperparameters;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import picocli.CommandLine.Option;

/**
 * What is trained: a method with its options, a configuration file of any method, or an adapter that there is. The
 * options that many methods share become keys of the method's configuration by {@link PeftMethod#optionKeys()}. Where
 * they are not given, methods with a rank and an alpha take the defaults that stand here, so that they compare; all
 * others take the configuration's own.
 */
@HelpGroup("Adapter")
final class AdapterOptions {
    private static final String METHOD = "--method";
    private static final String CONFIG = "--adapter-config";
    private static final String INIT = "--adapter-init";
    private static final String SETTING = "--adapter-setting";
    private static final String LAYERS = "--layers";
    private static final int USUAL_RANK = 16;

    @Option(names = METHOD, paramLabel = "NAME", defaultValue = "lora",
            description = "Method of fine-tuning. Default: ${DEFAULT-VALUE}")
    private String method;

    @Option(names = CONFIG, paramLabel = "FILE",
            description = "An adapter_config.json of any method, instead of a method and its options.")
    private Path configFile;

    @Option(names = INIT, paramLabel = "DIR",
            description = "Starts from the weights of this adapter, instead of a method and its options.")
    private Path initial;

    @Option(names = SETTING, paramLabel = "KEY=VALUE",
            description = "A key of the method's adapter_config.json, with its value as JSON or as plain text. May be "
                    + "given more than once.")
    private Map<String, String> settings = new LinkedHashMap<>();

    @Option(names = "--rank", paramLabel = "R|auto", defaultValue = "16", description = "Rank of the adapter; with "
            + "auto, alpha is twice as much. Default: ${DEFAULT-VALUE}, or the method's own")
    private AutoInteger rank;

    @Option(names = "--alpha", paramLabel = "A", defaultValue = "32",
            description = "Scaling of the adapter. Default: ${DEFAULT-VALUE}, or the method's own")
    private double alpha;

    @Option(names = "--dropout", paramLabel = "P", defaultValue = "0",
            description = "Dropout in the adapter during training. Default: ${DEFAULT-VALUE}")
    private double dropout;

    @Option(names = "--target-modules", paramLabel = "NAMES", defaultValue = "all-linear",
            description = "Layers to adapt: all-linear, comma-separated names, or a regular expression for whole "
                    + "paths. Default: ${DEFAULT-VALUE}, or the method's own")
    private String targetModules;

    @Option(names = LAYERS, paramLabel = "all|auto|FIRST-LAST", defaultValue = "all", description = "Decoder layers, "
            + "counted from 0, that are adapted. Default: ${DEFAULT-VALUE}")
    private String layers;

    private boolean alphaIsGiven;

    /** Whether rules are to choose something here. */
    boolean isAuto() {
        return rank.value().isEmpty() || layers.equalsIgnoreCase(AutoNumber.AUTO);
    }

    /** Tells rules what is not for them to choose. */
    void addTo(HyperparameterRules rules) {
        rank.value().ifPresent(rules::rank);
        if (!layers.equalsIgnoreCase(AutoNumber.AUTO)) {
            rules.firstLayer(AdaptedLayers.of(layers).first());
        }
    }

    /** What was chosen; reads the configuration file if there is one. */
    Choice choice(PeftCommand command) {
        alphaIsGiven = command.isGiven("--alpha");
        List<String> ways = List.of(METHOD, CONFIG, INIT).stream().filter(command::isGiven).toList();
        List<String> details = Stream.concat(PeftMethod.SHARED_OPTIONS.stream().map(name -> "--" + name),
                Stream.of(SETTING, LAYERS))
                .filter(command::isGiven).toList();
        if (ways.size() > 1) {
            throw command.usage(String.join(" and ", ways) + " are mutually exclusive");
        }
        if ((configFile != null || initial != null) && !details.isEmpty()) {
            throw command.usage(String.join(", ", details) + " cannot be combined with " + ways.get(0) + ", which "
                    + "already defines it");
        }
        if (initial != null) {
            // What is no adapter is refused now and not when the model has been loaded.
            AdapterCheckpoint.readConfig(initial);
            return new Choice(null, initial, AdaptedLayers.ALL);
        }
        AdaptedLayers adapted = layers.equalsIgnoreCase(AutoNumber.AUTO) ? AdaptedLayers.ALL
                : command.fromOptions(() -> AdaptedLayers.of(layers));
        return new Choice(configFile == null ? command.fromOptions(() -> fromOptions(command)) : fromFile(), null,
                adapted);
    }

    private PeftConfig fromFile() {
        try {
            return PeftMethods.readConfig(Files.readString(configFile), configFile.toString());
        } catch (NoSuchFileException e) {
            throw new UncheckedIOException("cannot read " + configFile + ": no such file", e);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + configFile + ": " + e.getMessage(), e);
        }
    }

    private PeftConfig fromOptions(PeftCommand command) {
        PeftMethod chosen = PeftMethods.byName(method);
        ObjectNode config = CommandJson.MAPPER.createObjectNode().put("peft_type", chosen.peftType())
                .put("task_type", "CAUSAL_LM");
        boolean shared = chosen.optionKeys().keySet().containsAll(List.of("rank", "alpha"));
        for (String name : PeftMethod.SHARED_OPTIONS) {
            String key = chosen.optionKeys().get(name);
            if (key != null && (shared || command.isGiven("--" + name))) {
                put(config, name, key);
            } else if (key == null && command.isGiven("--" + name)) {
                throw new ConfigurationException("the method " + method + " has no --" + name + "; its settings are "
                        + chosen.optionKeys().keySet().stream().sorted().toList());
            }
        }
        settings.forEach((key, value) -> config.set(key, setting(value)));
        return PeftMethods.readConfig(config.toString(), "the options of --method " + method);
    }

    private static JsonNode setting(String value) {
        try {
            return CommandJson.MAPPER.readTree(value);
        } catch (JsonProcessingException e) {
            return TextNode.valueOf(value);
        }
    }

    private void put(ObjectNode config, String name, String key) {
        switch (name) {
            case "rank" -> config.put(key, rank.value().orElse(USUAL_RANK));
            case "alpha" -> {
                // PEFT's own files hold an integer where it is one.
                if (alpha == Math.rint(alpha) && Math.abs(alpha) < Integer.MAX_VALUE) {
                    config.put(key, (int) alpha);
                } else {
                    config.put(key, alpha);
                }
            }
            case "dropout" -> config.put(key, dropout);
            default -> putTargets(config, key);
        }
    }

    /** Names are letters, digits, dots and underscores; all else is a regular expression. */
    private void putTargets(ObjectNode config, String key) {
        if (targetModules.equalsIgnoreCase("all-linear") || !targetModules.matches("[\\w.]+(\\s*,\\s*[\\w.]+)*")) {
            config.put(key, targetModules);
        } else {
            ArrayNode names = config.putArray(key);
            for (String target : targetModules.split("\\s*,\\s*")) {
                requireLayerName(target);
                names.add(target);
            }
        }
    }

    /** A misspelt name is refused before a model is loaded; whether this model has such layers it knows itself. */
    private static void requireLayerName(String target) {
        Set<String> known = Architectures.layerNames();
        if (!known.contains(target.substring(target.lastIndexOf('.') + 1))) {
            throw new ConfigurationException("--target-modules: no model here has layers named '" + target + "'; "
                    + SimilarNames.sentence(target, known));
        }
    }

    /** One of a configuration and an adapter's folder. */
    final class Choice {
        private final PeftConfig config;
        private final Path folder;
        private final AdaptedLayers adapted;

        private Choice(PeftConfig config, Path folder, AdaptedLayers adapted) {
            this.config = config;
            this.folder = folder;
            this.adapted = adapted;
        }

        /** With what rules have chosen instead of {@code auto}. */
        Choice with(Optional<Hyperparameters> chosen) {
            if (chosen.isEmpty() || config == null) {
                return this;
            }
            Hyperparameters values = chosen.get();
            AdaptedLayers all = layers.equalsIgnoreCase(AutoNumber.AUTO) && values.firstLayer() > 0
                    ? AdaptedLayers.from(values.firstLayer()) : adapted;
            return new Choice(rank.value().isPresent() ? config : values.ranked(config, !alphaIsGiven), folder, all);
        }

        /**
         * The base with the adapter to be trained.
         *
         * @param seed chooses its first values where it is new
         * @param data gives the data that they are computed from, where they are
         */
        PeftModel on(BaseModel base, long seed, Supplier<CalibrationBatches> data) {
            if (folder != null) {
                return base.withAdapter(folder);
            }
            PeftConfig placed = config(base).orElseThrow();
            return PeftModel.of(base, placed, new SplittableRandom(seed),
                    placed.needsCalibration() ? Optional.of(data.get()) : Optional.empty());
        }

        /** The configuration of a new adapter on a base; none if there is an adapter already. */
        Optional<PeftConfig> config(BaseModel base) {
            if (config == null) {
                return Optional.empty();
            }
            // A configuration from elsewhere names the base that it came from.
            PeftConfig placed = adapted.apply(config, base.network());
            return Optional.of(placed.withCommon(placed.common().withBaseModel(base.network().description().name())));
        }

        /** Whether the adapter is a new one. */
        boolean isNew() {
            return config != null;
        }

        /** Where the adapter's weights come from, in words. */
        String origin() {
            return folder == null ? "new" : "from " + folder;
        }
    }

    /**
     * The decoder layers that get an adapter.
     *
     * @param first the first, counted from 0
     * @param last the last; any larger number stands for the network's last
     */
    private record AdaptedLayers(int first, int last) {
        static final AdaptedLayers ALL = new AdaptedLayers(0, Integer.MAX_VALUE);
        private static final Pattern RANGE = Pattern.compile("(\\d{1,4})-(\\d{1,4})");
        private static final String LAYERS = "layers_to_transform";
        private static final String TARGETS = "target_modules";

        static AdaptedLayers from(int first) {
            return new AdaptedLayers(first, Integer.MAX_VALUE);
        }

        /**
         * The layers of a word: {@code all} or a range such as {@code 18-29}.
         *
         * @throws ConfigurationException when it is neither
         */
        static AdaptedLayers of(String word) {
            if (word.equalsIgnoreCase("all")) {
                return ALL;
            }
            Matcher range = RANGE.matcher(word);
            if (!range.matches() || Integer.parseInt(range.group(1)) > Integer.parseInt(range.group(2))) {
                throw new ConfigurationException("--layers '" + word + "' is neither all nor auto nor a range such as "
                        + "18-29");
            }
            return new AdaptedLayers(Integer.parseInt(range.group(1)), Integer.parseInt(range.group(2)));
        }

        /**
         * The configuration for these layers of a network.
         *
         * @throws ConfigurationException when the method cannot choose layers, or the network has fewer
         */
        PeftConfig apply(PeftConfig config, Network network) {
            if (equals(ALL)) {
                return config;
            }
            int count = network.description().layers();
            if (first >= count || last != Integer.MAX_VALUE && last >= count) {
                throw new ConfigurationException(
                        "--layers: the layers of " + network.description().name() + " are 0 to "
                                + (count - 1) + ", and " + first + " to " + last + " were asked for");
            }
            ObjectNode changed = json(config);
            if (!changed.has(LAYERS)) {
                throw new ConfigurationException(
                        "adapters of type " + config.peftType() + " cannot be put on some layers "
                                + "only; leave out --layers");
            }
            ArrayNode chosen = changed.putArray(LAYERS);
            IntStream.rangeClosed(first, Math.min(last, count - 1)).forEach(chosen::add);
            if (changed.path(TARGETS).asText().equalsIgnoreCase("all-linear")) {
                ArrayNode names = changed.putArray(TARGETS);
                Targets.allLinearNames(network).names().orElseThrow().forEach(names::add);
            }
            return PeftMethods.readConfig(changed.toString(), "--layers");
        }

        /** A configuration's JSON, to be changed. */
        static ObjectNode json(PeftConfig config) {
            try {
                return (ObjectNode) CommandJson.MAPPER.readTree(config.toJson());
            } catch (JsonProcessingException e) {
                throw new IllegalStateException("a configuration writes itself as JSON", e);
            }
        }
    }
}
