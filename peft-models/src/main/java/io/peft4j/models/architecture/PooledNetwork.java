package io.peft4j.models.architecture;

import io.peft4j.core.model.HeadedNetwork;
import java.util.Map;
import java.util.Optional;

/** A network whose hidden states may become one vector. */
public interface PooledNetwork extends HeadedNetwork {
    /** How they do. */
    SentencePooling pooling();

    @Override
    default Map<String, String> prompts() {
        return pooling().prompts();
    }

    @Override
    default Optional<String> defaultPrompt() {
        return pooling().defaultPrompt();
    }
}
