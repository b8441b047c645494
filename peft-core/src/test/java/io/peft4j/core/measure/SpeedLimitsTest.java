package io.peft4j.core.measure;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.kernel.Kernels;
import io.peft4j.core.kernel.NaiveKernels;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;

/** The figures are of the right order: wrong units would be a thousand times off. */
class SpeedLimitsTest {
    /** Plain loops do between a tenth and a hundred operations a nanosecond on any machine. */
    @Test
    void matrixProductsAreCountedInBillionsASecond() {
        try (Kernels kernels = new NaiveKernels()) {
            double gflops = SpeedLimits.matmulGflops(kernels, DataType.FLOAT);
            assertTrue(gflops > 0.05 && gflops < 1000, "GFLOPS " + gflops);
        }
    }

    /** From the slowest laptop to the largest server. */
    @Test
    void memoryIsReadInGigabytesASecond() {
        double rate = SpeedLimits.memoryGigabytesPerSecond(2);
        assertTrue(rate > 0.3 && rate < 5000, "GB/s " + rate);
    }

    @Test
    void allocationIsCountedToTheByteOfALargeArray() {
        long before = ProcessUsage.allocatedHeapBytes().orElseThrow();
        byte[] large = new byte[50_000_000];
        long allocated = ProcessUsage.allocatedHeapBytes().orElseThrow() - before;
        assertEquals(50_000_000, large.length);
        // Other threads of the test run may allocate too.
        assertTrue(allocated >= 50_000_000 && allocated < 90_000_000, "bytes " + allocated);
    }

    @Test
    void theWholeProcessTakesMoreThanItsHeapAndLessThanATerabyte() {
        OptionalLong peak = ProcessUsage.peakResidentBytes();
        if (System.getProperty("os.name").equals("Linux")) {
            assertTrue(peak.isPresent(), "Linux tells the peak");
        }
        long bytes = peak.orElse(1L << 30);
        assertTrue(bytes > 20_000_000 && bytes < 1L << 40, "bytes " + bytes);
    }
}
