package io.peft4j.quarkus.deployment;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import io.quarkus.test.QuarkusUnitTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** An application that does not say which model it has. */
class MissingModelTest {
    @RegisterExtension
    static final QuarkusUnitTest APPLICATION = new QuarkusUnitTest().withEmptyApplication()
            .overrideConfigKey("quarkus.http.host-enabled", "false")
            .assertException(failure -> assertTrue(failure.toString().contains("quarkus.peft4j.model is required"),
                    failure.toString()));

    @Test
    void anApplicationWithoutAModelDoesNotStart() {
        fail("the application has started");
    }
}
