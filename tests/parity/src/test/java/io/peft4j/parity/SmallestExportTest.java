package io.peft4j.parity;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.gguf.GgufFile;
import io.peft4j.core.io.IfExists;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.weight.BlockType;
import io.peft4j.models.export.SmallestExport;
import io.peft4j.models.export.SmallestExport.Result;
import io.peft4j.models.export.SmallestExport.Way;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A tuning goes into few bits in the smallest way whose proof holds. */
class SmallestExportTest {
    @TempDir
    private Path folder;

    /** Refuses as many as is said, and keeps what it was shown. */
    private Result write(int refusals, BlockType type, List<LanguageModel> seen, IfExists ifExists) {
        try (PeftModel model = PeftModel.load(KernelsUnderTest.sharedNaive("tiny-llama"), Fixtures.adapter("layers"))) {
            return SmallestExport.of(model, type, written -> {
                seen.add(written);
                if (seen.size() <= refusals) {
                    throw new ConfigurationException("lost too much");
                }
            }).ifExists(ifExists).toGguf(folder.resolve("my.gguf"));
        }
    }

    private List<String> files() throws IOException {
        try (Stream<Path> left = Files.list(folder)) {
            return left.map(path -> path.getFileName().toString()).sorted().toList();
        }
    }

    private BlockType type(String tensor) {
        try (GgufFile file = GgufFile.open(folder.resolve("my.gguf"))) {
            return file.blockType(tensor).orElseThrow();
        }
    }

    @Test
    void whatKeepsEnoughIsWrittenAlone() throws IOException {
        Result result = write(0, BlockType.Q4_0, new ArrayList<>(), IfExists.FAIL);

        assertEquals(Way.MERGED, result.way());
        assertEquals(BlockType.Q4_0, type("blk.0.attn_q.weight"));
        assertEquals(BlockType.Q8_0, type("token_embd.weight"), "every answer passes through it");
        assertEquals(List.of("my.gguf"), files());
        assertTrue(result.refused().isEmpty() && result.adapter().isEmpty());
    }

    @Test
    void furtherWaysAreTriedInTheOrderOfTheirSizes() throws IOException {
        List<Long> bytes = new ArrayList<>();
        for (int refusals = 0; refusals < 3; refusals++) {
            Result result = write(refusals, BlockType.Q4_0, new ArrayList<>(), IfExists.OVERWRITE);
            bytes.add(result.report().bytes() + (result.adapter().isPresent() ? Files.size(result.adapter().get())
                    : 0));
            assertEquals(refusals, result.refused().size());
            if (result.way() == Way.ADAPTED_IN_8_BITS) {
                assertEquals(BlockType.Q8_0, type("blk.0.attn_q.weight"));
                assertEquals(BlockType.Q4_0, type("blk.1.attn_q.weight"), "it is not adapted");
            } else if (result.way() == Way.BESIDE) {
                assertEquals(folder.resolve("my-adapter.gguf"), result.adapter().orElseThrow());
            }
        }
        assertEquals(bytes.stream().sorted().toList(), bytes);
        assertEquals(List.of("my-adapter.gguf", "my.gguf"), files());
        write(0, BlockType.Q4_0, new ArrayList<>(), IfExists.OVERWRITE);
        assertEquals(List.of("my.gguf"), files(), "an adapter is not left beside a base that has it merged");
    }

    /** Bits that are as many already are no further way. */
    @Test
    void whereNothingKeepsEnoughNothingIsWritten() throws IOException {
        List<LanguageModel> seen = new ArrayList<>();
        String message = assertThrows(ConfigurationException.class, () -> write(9, BlockType.Q8_0, seen,
                IfExists.FAIL)).getMessage();

        assertTrue(message.startsWith("no way of writing it as Q8_0 keeps enough\n  merged: lost too much\n"), message);
        assertEquals(2, seen.size());
        assertTrue(seen.get(1) instanceof PeftModel, "base and adapter");
        assertFalse(message.contains("in q8_0"), message);
        assertEquals(List.of(), files());
    }
}
