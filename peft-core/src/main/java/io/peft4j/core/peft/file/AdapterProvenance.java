package io.peft4j.core.peft.file;

import io.peft4j.core.Internal;
import io.peft4j.core.io.AtomicFiles;
import io.peft4j.core.io.Sha256;
import io.peft4j.core.model.BaseLanguageModel;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.model.ModelDescription;
import io.peft4j.core.model.Network;
import io.peft4j.core.model.Task;
import io.peft4j.core.peft.config.PeftConfig;
import io.peft4j.core.peft.method.Adapter;
import io.peft4j.core.text.ChatTemplate;
import io.peft4j.core.text.Tokenizer;
import io.peft4j.core.weight.FrozenWeight;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * What an adapter was made for and from, in the file {@value #FILE} of its folder, which Hugging Face PEFT leaves
 * alone. An adapter on another base of equal sizes, with another tokenizer or chat template loads without complaint
 * elsewhere and gives bad answers; here it is compared when it is loaded.
 *
 * @param base name of the base model
 * @param description sizes of the base model by name
 * @param samples a few values of its weights
 * @param tokenizer fingerprint of the tokenizer's vocabulary
 * @param chatTemplate fingerprint of the chat template, if there is one
 * @param config fingerprint of the adapter's configuration
 * @param training how it was trained: fingerprint of the data, seed, options; empty if unknown
 * @param golden texts with what the adapted model made of them
 */
@Internal(shared = true)
public record AdapterProvenance(String base, Map<String, String> description, List<WeightSample> samples,
        String tokenizer,
        Optional<String> chatTemplate, String config, Map<String, String> training, List<GoldenText> golden) {
    /** The file. */
    public static final String FILE = "peft4j_passport.json";
    /** In a description the names of the labels of a head, a line each. */
    public static final String LABELS = "labels";
    /** In a description the task, where the configuration has no name for it. */
    public static final String TASK = "task";
    /** In a description how the outputs of a head are learned. */
    public static final String PROBLEM = "problem_type";
    /** bfloat16 rounds each value by at most 1/256. */
    private static final double ROUNDED = 4e-3;
    /** Four-bit blocks are off by about a tenth; models that have nothing in common by more than one. */
    private static final double QUANTIZED = 0.25;

    /** Copies maps and lists. */
    public AdapterProvenance {
        description = Collections.unmodifiableMap(new LinkedHashMap<>(description));
        samples = List.copyOf(samples);
        training = Collections.unmodifiableMap(new LinkedHashMap<>(training));
        golden = List.copyOf(golden);
    }

    /**
     * Something that is not as it was.
     *
     * @param fatal whether the adapter cannot be meant for this model
     * @param explanation what differs and what follows from it, as a sentence
     */
    public record Mismatch(boolean fatal, String explanation) {
    }

    /** The passport of an adapter's configuration on a base, without training and texts. */
    public static AdapterProvenance of(LanguageModel base, PeftConfig config) {
        return of(base, Sha256.of(config.toJson()));
    }

    private static AdapterProvenance of(LanguageModel base, String config) {
        ModelDescription sizes = base.network().description();
        return new AdapterProvenance(sizes.name(), description(base.network()), WeightSample.of(base.network()),
                fingerprint(base.tokenizer()), base.chatTemplate().map(ChatTemplate::source).map(Sha256::of), config,
                Map.of(), List.of());
    }

    private static Map<String, String> description(Network network) {
        ModelDescription sizes = network.description();
        Map<String, String> description = new LinkedHashMap<>();
        description.put("model_type", sizes.modelType());
        description.put("vocab_size", String.valueOf(sizes.vocabularySize()));
        description.put("hidden_size", String.valueOf(sizes.hiddenSize()));
        description.put("num_hidden_layers", String.valueOf(sizes.layers()));
        description.put("tie_word_embeddings", String.valueOf(sizes.tiedEmbeddings()));
        if (network.task().type().hasLabels()) {
            description.put(LABELS, String.join("\n", network.task().labels()));
            description.put(PROBLEM, network.task().problem().name());
        }
        if (network.task().type() == Task.Type.DECISION) {
            description.put(TASK, Task.Type.DECISION.name());
        }
        return description;
    }

    /**
     * The passport of an adapter as it is now, with what the model makes of some texts.
     *
     * @param model the model with this adapter, and no other, active
     * @param adapter the adapter
     * @param training how it was trained, by name; for instance {@code data}, {@code seed}
     * @param texts texts whose likelihood is noted
     */
    public static AdapterProvenance of(LanguageModel model, Adapter adapter, Map<String, String> training,
            List<String> texts) {
        AdapterProvenance plain = of(model, saved(adapter.config()));
        return new AdapterProvenance(plain.base, plain.description, plain.samples, plain.tokenizer, plain.chatTemplate,
                plain.config, training, GoldenText.of(model, texts));
    }

    /** The configuration as written in the file. */
    public static PeftConfig saved(PeftConfig config) {
        return config.withCommon(config.common().withInferenceMode(true));
    }

    /**
     * Reads the passport of a folder, if it has one.
     *
     * @throws io.peft4j.core.error.PeftException when the file is damaged
     * @throws java.io.UncheckedIOException when it cannot be read
     */
    public static Optional<AdapterProvenance> read(Path folder) {
        Path file = folder.resolve(FILE);
        return Files.isRegularFile(file) ? Optional.of(ProvenanceJson.read(file)) : Optional.empty();
    }

    /**
     * Adds the model's likelihoods of some texts to the passport of a folder; does nothing without a passport.
     *
     * @param folder the folder of an adapter
     * @param model the model with this adapter, and no other, active
     */
    public static void addTexts(Path folder, LanguageModel model, List<String> texts) {
        read(folder).ifPresent(p -> new AdapterProvenance(p.base, p.description, p.samples, p.tokenizer, p.chatTemplate,
                p.config, p.training, GoldenText.of(model, texts)).write(folder));
    }

    /** Writes the passport into an adapter's folder. */
    public void write(Path folder) {
        AtomicFiles.writeString(folder.resolve(FILE), ProvenanceJson.write(this));
    }

    /**
     * What tells a base model from all others, exactly, by name: its sizes, the types of its weights and activations,
     * and a fingerprint of values from all places. Another type has another fingerprint.
     */
    public static Map<String, String> identity(BaseLanguageModel base) {
        Map<String, String> identity = new LinkedHashMap<>(description(base.network()));
        identity.put("dtype", base.network().description().activationType() + " activations, weights "
                + base.network().slots().stream().flatMap(slot -> WeightSample.weight(slot).stream())
                        .map(FrozenWeight::typeName).distinct().sorted().toList());
        Sha256 sha = new Sha256();
        base.network().slots().stream().flatMap(slot -> WeightSample.of(slot).stream())
                .forEach(sample -> sha.add(sample.toString()));
        identity.put("base_weights", sha.hex());
        return identity;
    }

    /** What differs between what the adapter was made for and a base model; nothing is computed with the model. */
    public List<Mismatch> mismatches(BaseLanguageModel model) {
        return mismatches(of(model, ""));
    }

    /** What differs between what the adapter was made for and a network that would have another passport now. */
    public List<Mismatch> mismatches(AdapterProvenance now) {
        List<Mismatch> found = new ArrayList<>();
        description.forEach((name, value) -> {
            String other = now.description.getOrDefault(name, "unknown");
            if (!value.equals(other)) {
                found.add(new Mismatch(!List.of(LABELS, PROBLEM).contains(name), "its base has " + name + " "
                        + value + ", this model " + other));
            }
        });
        Map<String, WeightSample> present = new LinkedHashMap<>();
        now.samples.forEach(sample -> present.put(sample.name(), sample));
        double distance = samples.stream().filter(s -> present.containsKey(s.name()))
                .mapToDouble(s -> s.distance(present.get(s.name()))).max().orElse(0);
        if (distance > QUANTIZED) {
            found.add(new Mismatch(true, String.format(Locale.ROOT, "it was made for the model '%s', whose weights "
                    + "differ from this one's by %.2g of their size: it is another model", base, distance)));
        } else if (distance > ROUNDED) {
            found.add(new Mismatch(false, String.format(Locale.ROOT, "it was made for the model '%s', whose weights "
                    + "differ from this one's by %.2g of their size; it may be quantized or trained further, "
                    + "and answers may differ", base, distance)));
        }
        if (!tokenizer.equals(now.tokenizer)) {
            found.add(new Mismatch(false, "it was made with another tokenizer, so token ids may differ"));
        }
        if (!chatTemplate.equals(now.chatTemplate)) {
            found.add(new Mismatch(false, "it was made with another chat template" + (chatTemplate.isEmpty() ? ", none"
                    : "") + ", so chats are rendered differently than in its training"));
        }
        return found;
    }

    /** What differs between the texts' likelihoods then and now; runs the model with its active adapters. */
    public List<Mismatch> goldenMismatches(LanguageModel model) {
        List<Mismatch> found = new ArrayList<>();
        List<GoldenText> now = GoldenText.of(model, golden.stream().map(GoldenText::text).toList());
        if (now.size() != golden.size()) {
            found.add(new Mismatch(false, "some of its sample texts have no tokens: the tokenizer differs"));
        }
        for (int i = 0; i < Math.min(now.size(), golden.size()); i++) {
            golden.get(i).difference(now.get(i)).ifPresent(text -> found.add(new Mismatch(false, text)));
        }
        return found;
    }

    private static String fingerprint(Tokenizer tokenizer) {
        Sha256 sha = new Sha256();
        for (int id = 0; id < tokenizer.vocabSize(); id++) {
            sha.add(tokenizer.idToToken(id).orElse("") + "\n");
        }
        return sha.hex();
    }
}
