// Files that are to be sent along: uploaded at once, while the text is still being written.
import { asFault } from '$/api/client';
import { words } from '$/words';
import { MOST, refusal, typeOf } from './files';
import { upload } from './messages';

/** A file on its way; with its address once it is there. */
export class OutgoingFile {
  readonly name: string;
  readonly size: number;
  /** 0 to 1. */
  progress = $state(0);
  url = $state<string>();
  readonly stop = new AbortController();

  constructor(file: File) {
    this.name = file.name || words.inbox.attachment(1);
    this.size = file.size;
  }
}

export class Outgoing {
  list = $state<OutgoingFile[]>([]);
  /** Why files are not among them. */
  problems = $state<string[]>([]);

  get busy(): boolean {
    return this.list.some((file) => !file.url);
  }

  get urls(): string[] {
    return this.list.flatMap((file) => file.url ?? []);
  }

  add(chosen: Iterable<File> | null | undefined): void {
    this.problems = [];
    for (const file of chosen ?? []) {
      const why = refusal(file, this.list);
      if (why) this.#refuse(file.name, words.inbox.refused[why](readable(MOST)));
      else void this.#upload(file);
    }
  }

  remove(file: OutgoingFile): void {
    file.stop.abort();
    this.list = this.list.filter((one) => one !== file);
  }

  clear(): void {
    this.list.forEach((file) => file.stop.abort());
    this.list = [];
    this.problems = [];
  }

  async #upload(file: File): Promise<void> {
    const outgoing = new OutgoingFile(file);
    this.list.push(outgoing);
    try {
      const progress = (share: number) => (outgoing.progress = share);
      const type = typeOf(file) ?? file.type;
      outgoing.url = await upload(file, type, progress, outgoing.stop.signal);
    } catch (error) {
      if (outgoing.stop.signal.aborted) return;
      this.remove(outgoing);
      const fault = asFault(error);
      this.#refuse(file.name, fault.apart().join(' ') || fault.message);
    }
  }

  #refuse(name: string, why: string): void {
    this.problems.push(`${name}: ${why}`);
  }
}

/** The limits as people read them. */
function readable({ files, bytes, total }: typeof MOST) {
  const megabytes = (count: number) => (count / 1_048_576).toLocaleString() + ' MB';
  return { files: String(files), bytes: megabytes(bytes), total: megabytes(total) };
}
