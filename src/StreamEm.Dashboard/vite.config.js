import { defineConfig } from 'vite';

// Relative addresses, so that the page works behind any path; no file inlined, so that the page's policy needs no exception.
export default defineConfig({
  base: './',
  build: {
    outDir: '../StreamEm.Worker/Dashboard/files',
    emptyOutDir: true,
    target: 'es2022',
    assetsInlineLimit: 0,
    cssCodeSplit: false,
    modulePreload: false,
    reportCompressedSize: false,
    chunkSizeWarningLimit: 1000,
  },
});
