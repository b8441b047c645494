package io.peft4j.models.generation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.model.Network;
import io.peft4j.core.nn.KvCache;
import io.peft4j.core.safetensors.Safetensors;
import io.peft4j.models.architecture.Architectures;
import io.peft4j.models.architecture.ModelConfig;
import io.peft4j.models.architecture.WeightLoader;
import io.peft4j.models.architecture.WeightType;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class CacheShareTest {
    private static final Path FOLDER = Path.of("../tests/fixtures/families");

    private static Network network(String name) {
        ModelConfig config = ModelConfig.read(FOLDER.resolve(name).resolve("config.json"));
        return Architectures.of(config).build(name, config,
                new WeightLoader(Safetensors.open(FOLDER.resolve(name)), WeightType.F32));
    }

    @Test
    void withoutStatesAllMemoryIsForKeysAndValues() {
        AnswerServiceOptions options = AnswerServiceOptions.defaults().withRows(2);
        try (Network network = network("llama-linear")) {
            assertEquals(new CacheShare(2, 16, 2 * CachePages.needed(129)), CacheShare.of(network, options));
            assertEquals(1, CacheShare.of(network, options.withCacheBytes(32 * 2 * 2 * 8 * 4L)).pages());
        }
    }

    /** As X-LoRA runs all layers a second time, and ShadowPEFT the first one. */
    @Test
    void whatAdaptersKeepBesideIsInTheMemory() {
        long page = 32 * 2 * 2 * 8 * 4L;
        try (Network network = network("llama-linear")) {
            AnswerServiceOptions options = AnswerServiceOptions.defaults().withCacheBytes(12 * page);
            assertEquals(12, CacheShare.of(network, options).pages());
            assertEquals(6, CacheShare.of(network, options, Integer.MAX_VALUE).pages());
            assertEquals(8, CacheShare.of(network, options, 1).pages(), "one of two layers");
            assertEquals(4, CacheShare.of(network, options, Integer.MAX_VALUE, Integer.MAX_VALUE).pages());
        }
        try (Network network = network("qwen3-5"); KvCache probe = network.causal().newCache(1)) {
            AnswerServiceOptions options = AnswerServiceOptions.defaults().withCacheBytes(64 * probe.stateBytes());
            assertEquals(21, CacheShare.of(network, options).rows());
            // 24 states fit: three behind kept pages, and two for each answer.
            assertEquals(10, CacheShare.of(network, options, Integer.MAX_VALUE).rows(), "states, too");
        }
    }

    @Test
    void statesOfAllAnswersAndKeptPagesAreInTheMemory() {
        try (Network network = network("qwen3-5"); KvCache probe = network.causal().newCache(1)) {
            // Two layers: three inputs of 40 columns, four heads of 4 x 6.
            assertEquals(2 * 4 * (3 * 40 + 4 * 4 * 6), probe.stateBytes());
            long bytes = 64 * probe.stateBytes();
            CacheShare share = CacheShare.of(network, AnswerServiceOptions.defaults().withCacheBytes(bytes));
            assertEquals(6, share.kept());
            assertEquals(21, share.rows(), "two states for each");
            long used = (2L * share.rows() + share.kept()) * probe.stateBytes()
                    + share.pages() * CachePages.PAGE * probe.bytes();
            assertTrue(share.pages() > 2 && used <= bytes, used + " of " + bytes);
            CacheShare least = CacheShare.of(network, AnswerServiceOptions.defaults().withCacheBytes(1));
            assertEquals(new CacheShare(1, 0, 0), least);
        }
    }
}
