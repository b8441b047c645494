package io.peft4j.lora;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.peft.TinyModel;
import io.peft4j.core.peft.TinyNetwork;
import io.peft4j.core.peft.config.PeftConfig;
import io.peft4j.core.peft.file.AdapterCheckpoint;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The version of the base model that an adapter's configuration names. */
class RevisionTest {
    private static final LoraConfig CONFIG = LoraConfig.builder().rank(2).build();

    @TempDir
    Path folder;

    private Optional<String> saved(Optional<String> revision, PeftConfig config) {
        try (TinyModel base = new TinyModel(new TinyNetwork(1, false, false)) {
            @Override
            public Optional<String> revision() {
                return revision;
            }
        }; PeftModel model = PeftModel.of(base, config)) {
            model.saveAdapter(folder);
        }
        return AdapterCheckpoint.readConfig(folder).common().revision();
    }

    @Test
    void isTheCommitOfABaseFromTheHub() {
        assertEquals(Optional.of("0f1e2d"), saved(Optional.of("0f1e2d"), CONFIG));
    }

    @Test
    void isNoneForFilesOfTheUser() {
        assertEquals(Optional.empty(), saved(Optional.empty(), CONFIG));
    }

    @Test
    void isTheOneThatTheConfigurationNames() {
        assertEquals(Optional.of("v1"), saved(Optional.of("0f1e2d"),
                CONFIG.withCommon(CONFIG.common().withRevision("v1"))));
    }
}
