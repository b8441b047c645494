package io.peft4j.parity;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.peft.method.PeftMethod;
import io.peft4j.core.peft.method.support.PeftMethods;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Every method of Hugging Face PEFT is here, and has a line in the documentation. */
class PeftTypesTest {
    @Test
    void allMethodsOfPeftAreHere() throws IOException {
        List<String> missing = new ArrayList<>();
        Fixtures.json("peft_types.json").get("names").forEach(name -> missing.add(name.asText()));
        assertEquals(45, missing.size());
        missing.removeAll(PeftMethods.all().stream().map(PeftMethod::peftType).toList());
        assertEquals(List.of(), missing);
        Path docs = Path.of("../../docs");
        assertTrue(Files.readString(docs.resolve("interop.md")).contains(
                "All 45 methods of PEFT 0.21.2"));
        String table = Files.readString(docs.resolve("methods.md"));
        PeftMethods.all().forEach(method -> assertTrue(table.contains("[`" + method.name() + "`]("), method.name()));
    }
}
