package io.peft4j.lora;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.peft.ConfigReader;
import io.peft4j.core.peft.ConfigWriter;
import java.util.Arrays;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;

/**
 * CorDA (<a href="https://arxiv.org/abs/2406.05223">2406.05223</a>): A and B begin with a part of the base weight,
 * chosen by the covariance of the layer's inputs.
 *
 * @param mode {@code corda_method}: which part; default {@link Mode#IPM}
 * @param covarianceFile {@code covariance_file}: a safetensors file that covariances are kept in; read where it
 *     exists, else written; default none
 * @param cacheFile {@code cache_file}: the same for the decomposition; where it exists, no data is needed; default none
 * @param verbose {@code verbose}: without effect, progress goes to the log; default false
 * @param pruneTemporaryFields {@code prune_temporary_fields}: without effect, nothing is left behind; default true
 */
public record CordaConfig(Mode mode, Optional<String> covarianceFile, Optional<String> cacheFile, boolean verbose,
        boolean pruneTemporaryFields) implements StartConfig {
    /** Which part of the base weight is trained. */
    public enum Mode {
        /** What matters most for the data: instruction-previewed mode. */
        IPM,
        /** What matters least for the data, which then is of knowledge to be kept: knowledge-preserved mode. */
        KPM;

        private String json() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** Checks that all is there. */
    public CordaConfig {
        Objects.requireNonNull(mode, "mode");
        Objects.requireNonNull(covarianceFile, "covarianceFile");
        Objects.requireNonNull(cacheFile, "cacheFile");
    }

    /** A mode without files. */
    public static CordaConfig of(Mode mode) {
        return new CordaConfig(mode, Optional.empty(), Optional.empty(), false, true);
    }

    /** The same with files. */
    public CordaConfig withFiles(Optional<String> covariance, Optional<String> cache) {
        return new CordaConfig(mode, covariance, cache, verbose, pruneTemporaryFields);
    }

    static CordaConfig read(ConfigReader reader) {
        String name = reader.text("corda_method", Mode.IPM.json());
        Mode mode = Arrays.stream(Mode.values()).filter(value -> value.json().equals(name)).findFirst()
                .orElseThrow(() -> new ConfigurationException(reader.source() + ": corda_method is '" + name
                        + "'; it must be ipm or kpm"));
        if (reader.flag("use_float16_for_covariance", false)) {
            throw new ConfigurationException(reader.source() + ": use_float16_for_covariance must be off: covariances "
                    + "are summed in double here");
        }
        CordaConfig config = new CordaConfig(mode, reader.optionalText("covariance_file"),
                reader.optionalText("cache_file"), reader.flag("verbose", false),
                reader.flag("prune_temporary_fields", true));
        reader.end();
        return config;
    }

    @Override
    public String key() {
        return "corda_config";
    }

    @Override
    public String toJson() {
        return ConfigWriter.nested().put("cache_file", cacheFile).put("covariance_file", covarianceFile)
                .put("corda_method", mode.json()).put("verbose", verbose).put("use_float16_for_covariance", false)
                .put("prune_temporary_fields", pruneTemporaryFields).toJson();
    }
}
