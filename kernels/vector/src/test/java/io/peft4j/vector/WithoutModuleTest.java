package io.peft4j.vector;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.peft4j.core.kernel.LoopSelection;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Runs in a JVM that was started without the module. */
@Tag("processor")
class WithoutModuleTest {
    @Test
    void plainLoopsRunWithoutTheModule() {
        assertFalse(new VectorLoopProvider().available());
        assertEquals("plain", LoopSelection.create().name());
    }
}
