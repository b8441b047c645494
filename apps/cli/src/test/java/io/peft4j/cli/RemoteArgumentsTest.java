package io.peft4j.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.peft4j.core.error.ConfigurationException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What is taken for an address, on the class path of the command line, which has no SDK of a cloud. */
class RemoteArgumentsTest {
    @ParameterizedTest
    @CsvSource({"s3://bucket/rows.jsonl, Amazon's SDK (software.amazon.awssdk:s3 and url-connection-client)",
        "--data=gs://bucket/rows.jsonl, Google's SDK (com.google.cloud:google-cloud-storage)",
        "tensorboard=gs://bucket/logs, Google's SDK (com.google.cloud:google-cloud-storage)"})
    void withoutItsSdkAnAddressSaysWhatIsMissing(String word, String library) {
        assertEquals(word.replaceFirst(".*=", "") + " needs " + library + " on the class path",
                assertThrows(ConfigurationException.class, () -> new RemoteArguments("score", word)).getMessage());
    }

    @Test
    void whatOnlyMentionsAnAddressStays() {
        String[] words = {"generate", "--prompt", "s3://bucket/key", "What is s3://bucket?", "--data", "s3:/bucket"};
        assertArrayEquals(words, new RemoteArguments(words).words());
    }
}
