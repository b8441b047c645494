package io.peft4j.models.hub;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.peft4j.core.decision.DecisionSettings;
import io.peft4j.core.io.PlainNames;
import io.peft4j.models.architecture.LayaFolder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Which files make up a model in the form of Hugging Face. */
final class ModelFiles {
    static final String CONFIG = "config.json";
    static final String INDEX = "model.safetensors.index.json";
    static final String SAFETENSORS = ".safetensors";
    static final String GGUF = ".gguf";
    static final String ADAPTER_CONFIG = "adapter_config.json";

    private static final String SINGLE = "model.safetensors";
    private static final String ADAPTER_WEIGHTS = "adapter_model.safetensors";
    private static final Pattern SMALL = Pattern.compile("config\\.json|generation_config\\.json"
            + "|tokenizer.*\\.(json|model)|spiece\\.model|special_tokens_map\\.json|added_tokens\\.json"
            + "|vocab\\.(json|txt)|merges\\.txt|chat_template\\..*|modules\\.json|sentence_.*_config\\.json"
            + "|config_sentence_transformers\\.json|rl_agent_config\\.json|decision\\.json|decision_template\\.jinja");
    /** The modules behind the network of a sentence-transformers model, such as 1_Pooling and 2_Dense. */
    private static final Pattern MODULE = Pattern.compile("[0-9]+_[A-Za-z]+/(config\\.json|model\\.safetensors)"
            + "|encoder/config\\.json|tokenizer/[A-Za-z_]+\\.(json|txt|model)");
    private static final List<String> TOKENIZERS = List.of("tokenizer.json", "tokenizer.model", "vocab.json");
    private static final ObjectMapper JSON = new ObjectMapper();

    private ModelFiles() {
    }

    /** Everything but the weights. */
    static List<HubFile> small(HubClient.HubListing listing) {
        return listing.files().stream()
                .filter(file -> file.isAtRoot() && SMALL.matcher(file.name()).matches()
                        || file.isInAFolder() && MODULE.matcher(file.name()).matches())
                .toList();
    }

    /** Whether a listing has the configuration of a model at its root, or of a Laya checkpoint below it. */
    static boolean haveConfig(HubClient.HubListing listing) {
        return listing.find(CONFIG).isPresent() || listing.find(DecisionSettings.LAYA).isPresent()
                && listing.find(LayaFolder.CONFIG).isPresent();
    }

    /** The adapter that the {@code decision.json} of a folder names. */
    static List<HubFile> adapter(HubClient.HubListing listing, Path folder) {
        return DecisionSettings.read(folder, DecisionSettings.DEFAULT).adapter().stream()
                .flatMap(name -> Stream.of(ADAPTER_CONFIG, ADAPTER_WEIGHTS).map(file -> name + "/" + file))
                .flatMap(file -> listing.find(file).stream()).toList();
    }

    /**
     * The files of weights of a model without an index: {@code model.safetensors}, so that a second copy of the weights
     * under another name is left out, or all there are.
     */
    static List<HubFile> weights(HubClient.HubListing listing) {
        return listing.find(SINGLE).map(List::of).orElseGet(() -> listing.files().stream()
                .filter(file -> file.isAtRoot() && isWeights(file.name())).toList());
    }

    /**
     * The files of weights that an index names.
     *
     * @throws IOException when the index cannot be read, is not one, or names what is not a file beside it
     */
    static Set<String> shards(Path index) throws IOException {
        JsonNode map = JSON.readTree(index.toFile()).path("weight_map");
        Set<String> names = new TreeSet<>();
        map.forEach(name -> names.add(name.asText()));
        if (names.isEmpty()) {
            throw new IOException("no weight_map in " + index);
        }
        for (String name : names) {
            if (!PlainNames.isPlain(name)) {
                throw new IOException("a shard in " + index + " is not the plain name of a file: " + name);
            }
        }
        return names;
    }

    /**
     * What a folder lacks to be a model.
     *
     * @param folder an existing folder
     * @param withTokenizer whether a tokenizer counts as well
     * @return the names of the missing files, empty for a complete model
     */
    static List<String> missing(Path folder, boolean withTokenizer) {
        List<String> missing = new ArrayList<>();
        if (!Files.isRegularFile(folder.resolve(CONFIG)) && !LayaFolder.isIn(folder)) {
            missing.add(CONFIG);
        }
        if (withTokenizer && !LayaFolder.isIn(folder)
                && TOKENIZERS.stream().noneMatch(name -> Files.isRegularFile(folder.resolve(name)))) {
            missing.add(TOKENIZERS.get(0));
        }
        missing.addAll(missingWeights(folder));
        return missing;
    }

    private static List<String> missingWeights(Path folder) {
        Path index = folder.resolve(INDEX);
        if (Files.isRegularFile(index)) {
            try {
                return shards(index).stream().filter(name -> !Files.isRegularFile(folder.resolve(name))).toList();
            } catch (IOException e) {
                return List.of(INDEX + " (a readable one)");
            }
        }
        return names(folder).stream().anyMatch(ModelFiles::isWeights) ? List.of() : List.of(SINGLE);
    }

    /** The names of what lies in a folder, sorted. */
    static List<String> names(Path folder) {
        try (Stream<Path> entries = Files.list(folder)) {
            // Files.exists: a link to a blob that was removed is not a file.
            return entries.filter(Files::exists).map(entry -> entry.getFileName().toString()).sorted().toList();
        } catch (IOException e) {
            throw new UncheckedIOException("Cannot list the folder " + folder + ": " + e, e);
        }
    }

    private static boolean isWeights(String name) {
        return name.endsWith(SAFETENSORS) && !name.equals(ADAPTER_WEIGHTS);
    }
}
