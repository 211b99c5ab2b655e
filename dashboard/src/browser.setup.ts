// What unit tests need of a browser: somewhere to keep things, a language, and a page to name it.
import { vi } from 'vitest';

vi.stubGlobal('localStorage', { getItem: () => null, setItem: () => undefined });
vi.stubGlobal('navigator', { languages: ['en', 'de'] });
vi.stubGlobal('document', { documentElement: {} });
