package io.peft4j.models.hub;

import io.peft4j.core.error.ModelNotFoundException;
import io.peft4j.core.error.SimilarNames;
import io.peft4j.models.hub.ModelSource.GgufPath;
import io.peft4j.models.hub.ModelSource.HuggingFaceFolder;
import io.peft4j.models.hub.ModelSource.Provenance;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** Models in folders and files that the user names. */
final class LocalModels {
    private static final int LISTED = 8;

    private LocalModels() {
    }

    /**
     * The model in an existing folder or file.
     *
     * @return empty when nothing of that name exists
     * @throws ModelNotFoundException when something exists that is not a model
     */
    static Optional<ModelSource> find(String reference) {
        Optional<Path> path = path(reference).filter(Files::exists);
        if (path.isEmpty()) {
            return Optional.empty();
        }
        Path absolute = path.get().toAbsolutePath().normalize();
        return Optional.of(Files.isDirectory(absolute) ? folder(reference, absolute) : file(reference, absolute));
    }

    /** Whether a text can only be meant as a path. */
    static boolean looksLikePath(String reference) {
        return reference.startsWith("/") || reference.startsWith(".") || reference.startsWith("~")
                || reference.contains("\\") || reference.endsWith(".gguf") && !reference.contains(":")
                || reference.chars().filter(c -> c == '/').count() > 1 && !reference.contains(":")
                        && !reference.contains("@");
    }

    /** What exists near a path that does not. */
    static String nearby(String reference) {
        Optional<Path> path = path(reference);
        if (path.isEmpty()) {
            return "invalid path";
        }
        Path absolute = path.get().toAbsolutePath().normalize();
        Path missing = absolute;
        Path parent = absolute.getParent();
        while (parent != null && !Files.isDirectory(parent)) {
            missing = parent;
            parent = parent.getParent();
        }
        if (parent == null || missing.getFileName() == null) {
            return "no such file or folder: " + absolute;
        }
        List<String> names = ModelFiles.names(parent);
        return "no " + missing.getFileName() + " in " + parent
                + (names.isEmpty() ? ", which is empty"
                        : "; of those present, " + SimilarNames.sentence(missing.getFileName().toString(), names));
    }

    private static Optional<Path> path(String reference) {
        try {
            boolean home = reference.equals("~") || reference.startsWith("~/");
            return Optional.of(home ? Path.of(System.getProperty("user.home"), reference.substring(1))
                    : Path.of(reference));
        } catch (InvalidPathException e) {
            return Optional.empty();
        }
    }

    private static ModelSource folder(String reference, Path folder) {
        List<String> missing = ModelFiles.missing(folder, false);
        if (missing.isEmpty()) {
            return new HuggingFaceFolder(folder, provenance(reference, "local folder"));
        }
        List<String> names = ModelFiles.names(folder);
        List<String> gguf = names.stream().filter(name -> name.endsWith(ModelFiles.GGUF)).toList();
        if (gguf.size() == 1 && missing.contains(ModelFiles.CONFIG)) {
            return new GgufPath(folder.resolve(gguf.get(0)), provenance(reference, "local file"));
        }
        throw new ModelNotFoundException("The folder " + folder + " is not a model: it lacks "
                + String.join(", ", missing) + (names.isEmpty() ? " and is empty" : "; it contains "
                        + shortened(names))
                + ". " + advice(names, gguf));
    }

    private static String advice(List<String> names, List<String> gguf) {
        if (names.contains(ModelFiles.ADAPTER_CONFIG)) {
            return "It looks like an adapter: pass its base model as the model and this folder as the adapter.";
        }
        if (!gguf.isEmpty()) {
            return "Choose one of its GGUF files.";
        }
        if (names.stream().anyMatch(name -> name.startsWith("pytorch_model") && name.endsWith(".bin"))) {
            return "Weights in pytorch_model*.bin are not supported: save the model with safe_serialization=True.";
        }
        return "Use a folder with config.json, *.safetensors and tokenizer.json, or a .gguf file.";
    }

    private static ModelSource file(String reference, Path file) {
        if (!file.getFileName().toString().endsWith(ModelFiles.GGUF)) {
            Path parent = file.getParent();
            String advice = Files.exists(parent.resolve(ModelFiles.CONFIG)) ? "Use its folder, " + parent + "."
                    : "Use the folder with config.json, *.safetensors and tokenizer.json.";
            throw new ModelNotFoundException("The file " + file + " is not a model: only a .gguf file can be loaded"
                    + " alone. " + advice);
        }
        return new GgufPath(file, provenance(reference, "local file"));
    }

    private static Provenance provenance(String reference, String origin) {
        return new Provenance(reference, Optional.empty(), Optional.empty(), origin);
    }

    private static String shortened(List<String> names) {
        return String.join(", ", names.subList(0, Math.min(LISTED, names.size())))
                + (names.size() > LISTED ? " and " + (names.size() - LISTED) + " more" : "");
    }
}
